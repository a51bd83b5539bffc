import { setImmediate, setTimeout } from "node:timers/promises";
import type { DependencyError } from "@wardline/policy-types";
import type { Ledger, LedgerPosition, LedgerState } from "../ledger.ts";
import { renderEntry } from "./entry.ts";
import { closeTimedOut, ledgerClosed, ledgerFailed, ledgerFull, systemCode } from "./faults.ts";
import type { FolderLock } from "./lock.ts";
import type { ParsedLedgerOptions } from "./options.ts";
import type { SegmentWriter } from "./segment-writer.ts";

interface Pending {
  readonly lines: Buffer;
  readonly before: LedgerPosition;
  readonly after: LedgerPosition;
  readonly resolve: (position: LedgerPosition) => void;
  readonly reject: (error: DependencyError) => void;
}

interface Parts {
  readonly options: ParsedLedgerOptions;
  readonly lock: FolderLock;
  readonly segment: SegmentWriter;
  readonly position: LedgerPosition;
  readonly recovered: LedgerState["recovered"];
}

/**
 * The ledger in a folder. One write and fdatasync is under way at a time, and everything that arrives meanwhile goes
 * into the next one: under load many callers share a sync, and a lone caller waits for nobody.
 */
export class FileLedger implements Ledger {
  readonly #parts: Parts;
  /** The position after everything accepted. */
  #accepted: LedgerPosition;
  #durable: LedgerPosition;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#accepted = parts.position;
    this.#durable = parts.position;
  }

  async append(events: readonly object[]): Promise<LedgerPosition> {
    if (this.#failure !== undefined) throw ledgerFailed(this.#failure.cause);
    if (this.#closing !== undefined) throw ledgerClosed();
    const { queueBytes } = this.#parts.options;
    if (this.#queuedBytes >= queueBytes) throw ledgerFull();

    const { lines, after } = this.#render(events);
    if (this.#queuedBytes + lines.length > queueBytes) throw ledgerFull();
    const before = this.#accepted;
    this.#accepted = after;
    this.#queuedBytes += lines.length;
    const durable = new Promise<LedgerPosition>((resolve, reject) => {
      this.#queue.push({ lines, before, after, resolve, reject });
    });
    this.#writing ??= this.#writeAll();
    return durable;
  }

  state(): LedgerState {
    const { recovered } = this.#parts;
    const closed = this.#closing === undefined ? "open" : "closed";
    return {
      status: this.#failure === undefined ? closed : "failed",
      durable: this.#durable,
      queuedBytes: this.#queuedBytes,
      ...(this.#failure === undefined ? {} : { because: systemCode(this.#failure.cause) }),
      ...(recovered === undefined ? {} : { recovered }),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #render(events: readonly object[]): { readonly lines: Buffer; readonly after: LedgerPosition } {
    const at = new Date(this.#parts.options.now()).toISOString();
    let after = this.#accepted;
    let text = "";
    for (const event of events) {
      const entry = renderEntry(after, at, textOf(event));
      text += entry.line;
      after = entry.after;
    }
    return { lines: Buffer.from(text), after };
  }

  async #writeAll(): Promise<void> {
    // What the same turn of the event loop brings goes into the first write.
    await setImmediate();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#write(batch);
      } catch (cause) {
        this.#fail(cause, batch);
        break;
      }
    }
    this.#writing = undefined;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const [first] = batch;
    const last = batch.at(-1);
    if (first === undefined || last === undefined) return;
    const lines = batch.length === 1 ? first.lines : Buffer.concat(batch.map((pending) => pending.lines));
    await this.#parts.segment.write(lines, first.before);
    this.#durable = last.after;
    this.#queuedBytes -= lines.length;
    for (const pending of batch) pending.resolve(pending.after);
  }

  /** F9: after a failed write or sync nobody knows what is on disk, and trying again could hide a gap. */
  #fail(cause: unknown, batch: readonly Pending[]): void {
    this.#failure = { cause };
    const error = ledgerFailed(cause);
    for (const pending of [...batch, ...this.#queue]) pending.reject(error);
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** F15. When the disk hangs, the lock stays: the write under way may still land, and nobody may write beside it. */
  async #close(): Promise<void> {
    const { options, segment, lock } = this.#parts;
    const abort = new AbortController();
    const timeout = setTimeout(options.closeDeadlineMs, "late" as const, { signal: abort.signal }).catch(() => "late");
    const finished = await Promise.race([(this.#writing ?? Promise.resolve()).then(() => "finished"), timeout]);
    abort.abort();
    if (finished === "late") throw closeTimedOut();
    try {
      await segment.close();
    } finally {
      await lock.release();
    }
  }
}

function textOf(event: object): string {
  const text = JSON.stringify(event) as string | undefined;
  if (text?.startsWith("{") !== true) throw new TypeError("an event is an object that JSON can hold");
  return text;
}
