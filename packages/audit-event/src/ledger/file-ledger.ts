import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { DependencyError } from "@wardline/policy-types";
import type { Draft } from "../draft.ts";
import { instant } from "../instant.ts";
import type { Ledger, LedgerPosition, LedgerState } from "../ledger.ts";
import { BatchRenderer } from "./batch.ts";
import type { Checkpointer } from "./checkpointer.ts";
import { TIME_LENGTH } from "./entry.ts";
import { closeTimedOut, ledgerClosed, ledgerFailed, systemCode } from "./faults.ts";
import type { FolderLock } from "./lock.ts";
import type { ParsedLedgerOptions } from "./options.ts";
import { type Batch, NOTHING, Queue } from "./queue.ts";
import type { Retention } from "./retention.ts";
import type { EventSealer } from "./seal.ts";
import type { SegmentWriter } from "./segment-writer.ts";
import type { WrittenEvents } from "./written-events.ts";

export interface Parts {
  readonly options: ParsedLedgerOptions;
  readonly lock: FolderLock;
  readonly segment: SegmentWriter;
  readonly position: LedgerPosition;
  /** Time of the last entry. */
  readonly lastAt: number;
  readonly recovered: LedgerState["recovered"];
  readonly sealer: EventSealer | undefined;
  readonly checkpointer: Checkpointer | undefined;
  readonly retention: Retention | undefined;
}

/**
 * The ledger in a folder. One write and fdatasync is under way at a time, and everything that arrives meanwhile goes
 * into the next one: under load many callers share a sync, and a lone caller waits for nobody.
 */
export class FileLedger implements Ledger {
  readonly #parts: Parts;
  readonly #renderer: BatchRenderer;
  readonly #queue: Queue;
  #durable: LedgerPosition;
  #writing: Promise<void> | undefined;
  #failure: { readonly cause: unknown; readonly since: number; inDoubt: number; cut: number } | undefined;
  #healing: NodeJS.Timeout | undefined;
  #healDelay: number;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { position, options, lastAt, sealer } = parts;
    this.#parts = parts;
    this.#durable = position;
    this.#renderer = new BatchRenderer(options.instance, lastAt, sealer);
    this.#queue = new Queue(options.queueBytes);
    this.#healDelay = options.healAfterMs;
  }

  /** Puts down what opening found, and signs what is there. */
  async begin(): Promise<void> {
    const { recovered, checkpointer, retention, options } = this.#parts;
    if (recovered !== undefined) {
      this.#renderer.note({ kind: recovered.hole ? "hole-put-aside" : "recovered", bytes: recovered.bytes });
      await this.#write(NOTHING, options.now());
    }
    await checkpointer?.flush();
    retention?.start((expired) => {
      this.#renderer.note({ kind: "expired", ...expired });
      this.#writing ??= this.#writeAll();
    });
  }

  async append(events: readonly object[] | WrittenEvents): Promise<LedgerPosition> {
    if (this.#failure !== undefined) throw ledgerFailed(this.#failure.cause, { retryable: true });
    if (this.#closing !== undefined) throw ledgerClosed();
    const time = this.#parts.options.now();
    const at = instant(time);
    if (at.length !== TIME_LENGTH) throw new RangeError("the clock shows a year that has not four digits");
    const { entries } = this.#durable;
    const durable = this.#queue.add(events, { time, at }, (size) => this.#renderer.entryBytes(size, entries));
    this.#writing ??= this.#writeAll();
    return durable;
  }

  state(): LedgerState {
    const { recovered, checkpointer, options } = this.#parts;
    const closed = this.#closing === undefined ? "open" : "closed";
    const status = this.#failure === undefined ? closed : "failed";
    // Every request asks for it.
    const state: Draft<LedgerState> = {
      status,
      durable: this.#durable,
      queuedBytes: this.#queue.bytes,
      mostQueuedBytes: options.queueBytes,
    };
    if (this.#failure !== undefined) state.because = systemCode(this.#failure.cause);
    if (recovered !== undefined) state.recovered = recovered;
    if (checkpointer !== undefined) state.checkpoint = checkpointer.state();
    return state;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #writeAll(): Promise<void> {
    // What the same turn of the event loop brings goes into the first write.
    await setImmediate();
    while ((!this.#queue.isEmpty || this.#renderer.hasNotes) && this.#failure === undefined) {
      const batch = this.#queue.take();
      try {
        await this.#write(batch, this.#parts.options.now());
      } catch (cause) {
        if (isKeysMissing(cause)) this.#refuse(batch, cause);
        else this.#fail(cause, batch);
        break;
      } finally {
        this.#queue.release(batch);
      }
    }
    this.#writing = undefined;
  }

  async #write(batch: Batch, now: number): Promise<void> {
    const { segment, sealer, checkpointer, retention } = this.#parts;
    if (await segment.makeRoom(this.#renderer.bytesOf(batch, this.#durable), this.#durable)) {
      sealer?.forgetKey();
      checkpointer?.beginSegment(this.#durable.entries);
      retention?.look();
    }
    await sealer?.prepare(this.#durable.entries);
    const { lines, entries, positions, after } = this.#renderer.render(batch, this.#durable, now);
    await segment.write(lines);
    this.#renderer.forgetNotes();
    this.#durable = after;
    checkpointer?.add(entries, after);
    batch.pending.forEach(({ bytes, resolve }, index) => {
      this.#queue.settle(bytes);
      resolve(positions[index] ?? after);
    });
  }

  /** Nothing of it was written; the ledger stands. */
  #refuse(batch: Batch, error: DependencyError): void {
    for (const pending of [...batch.pending, ...this.#queue.abandon()]) pending.reject(error);
  }

  /** F9: after a failed write or sync nobody knows what is on disk; nothing is acknowledged until that is known. */
  #fail(cause: unknown, batch: Batch): void {
    const inDoubt = batch.events.count;
    this.#failure = { cause, since: this.#parts.options.now(), inDoubt, cut: 0 };
    for (const pending of batch.pending) pending.reject(ledgerFailed(cause, { retryable: false }));
    for (const pending of this.#queue.abandon()) pending.reject(ledgerFailed(cause, { retryable: true }));
    this.#healLater();
  }

  #healLater(): void {
    if (this.#healDelay === 0 || this.#closing !== undefined) return;
    this.#healing = setTimeout(() => {
      this.#writing ??= this.#heal().finally(() => {
        this.#writing = this.#queue.isEmpty ? undefined : this.#writeAll();
      });
    }, this.#healDelay).unref();
    this.#healDelay = Math.min(this.#healDelay * 2, MOST_HEAL_DELAY_MS);
  }

  /**
   * Goes on after a failure, if the disk holds to the byte what was acknowledged and takes a record of what happened.
   * If we crash in between, opening finds a tail that is whole, or torn.
   */
  async #heal(): Promise<void> {
    const failure = this.#failure;
    if (failure === undefined || this.#closing !== undefined) return;
    const { segment, sealer, options } = this.#parts;
    try {
      failure.cut += await segment.repair(this.#durable);
      sealer?.forgetKey();
      const { inDoubt, cut: bytes, since } = failure;
      const because = systemCode(failure.cause);
      this.#renderer.note({ kind: "healed", because, since: new Date(since).toISOString(), inDoubt, bytes });
      await this.#write(NOTHING, options.now());
    } catch (error) {
      this.#renderer.forgetHealed();
      // Acknowledged entries are not there any more: that is for people to look at, not to be written over.
      if (error instanceof DependencyError && !error.retryable) this.#failure = { ...failure, cause: error };
      else this.#healLater();
      return;
    }
    this.#failure = undefined;
    this.#healDelay = options.healAfterMs;
  }

  /**
   * F15. When the disk hangs, the lock stays: the write under way may still land, and nobody may write beside it. A
   * signer or witness that hangs only costs the last checkpoint, which the next opening makes up for.
   */
  async #close(): Promise<void> {
    const { options, segment, lock, checkpointer, retention } = this.#parts;
    clearTimeout(this.#healing);
    const end = Date.now() + options.closeDeadlineMs;
    const write = async (): Promise<void> => {
      // What has expired meanwhile is put down too.
      await retention?.close();
      await this.#writing;
    };
    if (!(await inTime(write(), options.closeDeadlineMs))) throw closeTimedOut();
    if (this.#failure === undefined && checkpointer !== undefined) {
      await inTime(checkpointer.flush(), end - Date.now());
    }
    await checkpointer?.close(end - Date.now());
    try {
      await segment.close();
    } finally {
      await lock.release();
    }
  }
}

async function inTime(work: Promise<void>, milliseconds: number): Promise<boolean> {
  const abort = new AbortController();
  const timer = delay(Math.max(milliseconds, 1), false, { signal: abort.signal }).catch(() => false);
  const finished = await Promise.race([work.then(() => true), timer]);
  abort.abort();
  return finished;
}

function isKeysMissing(error: unknown): error is DependencyError {
  return error instanceof DependencyError && error.code === "audit-event/ledger-keys";
}

const MOST_HEAL_DELAY_MS = 60_000;
