import { setTimeout as sleep } from "node:timers/promises";
import { DependencyError } from "@wardline/policy-types";
import type { LedgerEntry } from "../ledger/read.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { type Cursor, type CursorFile, cursorFile } from "./cursor.ts";
import { DEFAULT_LIMITS, type ParsedShipOptions, type SinkChange } from "./options.ts";
import { DeliveryError, eventIdOf, type Sink, type SinkLimits } from "./sink.ts";

export interface SinkState {
  readonly sink: string;
  /** Entries the receiver has, counted from the ledger's first. */
  readonly delivered: number;
  /** Milliseconds since the epoch. */
  readonly deliveredAt?: number;
  /** Entries noted as never to be taken since the start. */
  readonly rejected: number;
  readonly failing?: { readonly code: string; readonly since: number; readonly attempts: number };
}

/**
 * Brings the ledger to one sink, in order and at least once. Holds one batch at a time: while a receiver is down the
 * entries wait in the ledger. Each sink has a courier of its own, so none waits for another (F10).
 */
export class Courier {
  readonly #sink: Sink;
  readonly #options: ParsedShipOptions;
  readonly #limits: SinkLimits;
  readonly #file: CursorFile;
  readonly #stop = new AbortController();
  readonly #send: Attempt;
  #cursor: Cursor | undefined;
  #deliveredAt: number | undefined;
  #rejected = 0;
  #failing: { code: string; since: number; attempts: number } | undefined;
  /** Whoever waits for a look at the ledger that begins from now on. */
  #waiting: (() => void)[] = [];
  /** Between two looks at the ledger. */
  #idle: AbortController | undefined;
  readonly #running: Promise<void>;

  constructor(sink: Sink, options: ParsedShipOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...sink.limits };
    this.#file = cursorFile(options.cursorFolder, sink.name);
    this.#send = attempt(sink, this.#limits.deadlineMs);
    this.#running = this.#run();
  }

  state(): SinkState {
    return {
      sink: this.#sink.name,
      delivered: (this.#cursor?.seq ?? -1) + 1,
      rejected: this.#rejected,
      ...(this.#deliveredAt === undefined ? {} : { deliveredAt: this.#deliveredAt }),
      ...(this.#failing === undefined ? {} : { failing: { ...this.#failing } }),
    };
  }

  /** Resolves when everything that is in the ledger now has been delivered, or when it was closed. */
  caughtUp(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#idle?.abort();
    });
  }

  /** Delivers what is there, if the sink works, and ends (F15); what is left waits for the next start. */
  async close(): Promise<void> {
    const { closeDeadlineMs } = this.#options;
    const over = new AbortController();
    const deadline = sleep(closeDeadlineMs, undefined, { signal: over.signal }).catch(() => undefined);
    if (this.#failing === undefined) await Promise.race([this.caughtUp(), deadline]);
    this.#stop.abort();
    await Promise.race([this.#running, deadline.then(() => this.#send.abandon())]);
    over.abort();
    for (const done of this.#waiting.splice(0)) done();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const waiting = this.#waiting;
      this.#waiting = [];
      try {
        await this.#deliverNew();
        if (!this.#stopped) this.#works();
        for (const done of waiting) done();
      } catch (error) {
        this.#waiting.push(...waiting);
        this.#fails(error);
        await this.#pause(error);
        continue;
      }
      if (this.#waiting.length === 0) await this.#idleFor(this.#options.intervalMs);
    }
    for (const done of this.#waiting.splice(0)) done();
  }

  /** One look at the ledger. A fault in it, or a line that is just being written, ends the look after what precedes it. */
  async #deliverNew(): Promise<void> {
    this.#cursor ??= await this.#file.read();
    const { batchEntries, batchBytes } = this.#limits;
    let batch: LedgerEntry[] = [];
    let bytes = 0;
    let fault: { readonly error: unknown } | undefined;
    let seen = -1;
    try {
      for await (const entry of this.#options.read(this.#cursor?.seq ?? 0)) {
        if (this.#stopped) return;
        seen = entry.seq;
        if (this.#has(entry)) continue;
        if (batch.length === 0) this.#notice(entry.seq);
        const size = JSON.stringify(entry.event).length;
        if (batch.length > 0 && (batch.length >= batchEntries || bytes + size > batchBytes)) {
          await this.#deliver(batch);
          batch = [];
          bytes = 0;
        }
        batch.push(entry);
        bytes += size;
      }
    } catch (error) {
      fault = { error };
    }
    if (batch.length > 0) await this.#deliver(batch);
    if (fault !== undefined) throw fault.error;
    if (seen < (this.#cursor?.seq ?? -1)) throw cursorForeign();
  }

  /** The ledger must still hold what was delivered, or the cursor belongs to another one. */
  #has({ seq, hash }: LedgerEntry): boolean {
    const cursor = this.#cursor;
    if (cursor === undefined || seq > cursor.seq) return false;
    if (seq < cursor.seq || hash === cursor.hash) return true;
    throw cursorForeign();
  }

  /** What expired before it was delivered is gone; somebody has to know. A new sink begins with what there is. */
  #notice(seq: number): void {
    const next = (this.#cursor?.seq ?? seq - 1) + 1;
    if (seq === next) return;
    this.#tell({ sink: this.#sink.name, kind: "missed", code: "audit-event/entries-missing", seq: next });
  }

  /** Sends until the receiver has it. A batch that it will never take is halved until the culprit stands alone. */
  async #deliver(batch: readonly LedgerEntry[]): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#send(batch);
        await this.#advance(batch, "delivered");
        return;
      } catch (error) {
        if (error instanceof DeliveryError && !error.retryable) {
          if (batch.length === 1) return this.#reject(batch, error.code);
          const middle = Math.ceil(batch.length / 2);
          await this.#deliver(batch.slice(0, middle));
          return this.#deliver(batch.slice(middle));
        }
        if (this.#stopped) return;
        this.#fails(error);
        await this.#pause(error);
      }
    }
  }

  async #reject(batch: readonly LedgerEntry[], code: string): Promise<void> {
    for (const entry of batch) {
      await this.#file.noteRejected({ seq: entry.seq, hash: entry.hash, id: eventIdOf(entry), code });
      this.#rejected += 1;
      this.#tell({ sink: this.#sink.name, kind: "rejected", code, seq: entry.seq });
    }
    await this.#advance(batch, "rejected");
  }

  async #advance(batch: readonly LedgerEntry[], how: "delivered" | "rejected"): Promise<void> {
    const last = batch.at(-1);
    if (last === undefined) return;
    const cursor = { seq: last.seq, hash: last.hash };
    await this.#file.write(cursor);
    this.#cursor = cursor;
    if (how === "rejected") return;
    this.#deliveredAt = this.#options.now();
    this.#works();
  }

  #fails(error: unknown): void {
    const code = error instanceof DependencyError ? error.code : "audit-event/sink-failed";
    const { since, attempts } = this.#failing ?? { since: this.#options.now(), attempts: 0 };
    this.#failing = { code, since, attempts: attempts + 1 };
    // A line that is just being written looks broken to whoever reads it then; the next look tells.
    const patience = code === "audit-event/ledger-broken" ? PATIENCE : 1;
    if (this.#failing.attempts === patience) this.#tell({ sink: this.#sink.name, kind: "failing", code });
  }

  #works(): void {
    const failing = this.#failing;
    if (failing === undefined) return;
    this.#failing = undefined;
    const told = failing.code !== "audit-event/ledger-broken" || failing.attempts >= PATIENCE;
    if (told) this.#tell({ sink: this.#sink.name, kind: "recovered", code: failing.code });
  }

  #tell(change: SinkChange): void {
    try {
      this.#options.onChange(change);
    } catch {
      // Whoever listens may not stop the delivery.
    }
  }

  async #pause(error: unknown): Promise<void> {
    const { firstRetryMs, lastRetryMs } = this.#options;
    const attempts = (this.#failing?.attempts ?? 1) - 1;
    const longest = Math.min(firstRetryMs * 2 ** Math.min(attempts, 30), lastRetryMs);
    const asked = error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0;
    await this.#rest(Math.max(longest * (0.5 + Math.random() / 2), Math.min(asked, LONGEST_ASKED_MS)));
  }

  /** Ends early when somebody wants to know that all is delivered. */
  async #idleFor(milliseconds: number): Promise<void> {
    this.#idle = new AbortController();
    const signal = AbortSignal.any([this.#idle.signal, this.#stop.signal]);
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
    this.#idle = undefined;
  }

  async #rest(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }
}

function cursorForeign(): DependencyError {
  return new DependencyError("audit-event/cursor-foreign", "the cursor belongs to another ledger", {
    retryable: false,
  });
}

const PATIENCE = 3;
const LONGEST_ASKED_MS = 3_600_000;
