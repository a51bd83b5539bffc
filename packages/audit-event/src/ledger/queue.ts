import type { DependencyError } from "@wardline/policy-types";
import type { LedgerPosition } from "../ledger.ts";
import { ledgerFull } from "./faults.ts";
import { WrittenEvents } from "./written-events.ts";

/** Events accepted together and not yet on disk. */
export interface Pending {
  readonly count: number;
  /** How many bytes they take on disk. */
  readonly bytes: number;
  /** When they were accepted, in milliseconds, and as it is written. */
  readonly time: number;
  readonly at: string;
  readonly resolve: (position: LedgerPosition) => void;
  readonly reject: (error: DependencyError) => void;
}

/** What goes to disk in one write: the events of each pending, one behind the other. */
export interface Batch {
  readonly pending: readonly Pending[];
  readonly events: WrittenEvents;
}

export const NOTHING: Batch = Object.freeze({ pending: Object.freeze([]), events: new WrittenEvents() });

/**
 * What waits for the disk, bounded in bytes. Two memories take turns, one for the batch under way and one for what comes
 * meanwhile; each is wiped after use.
 */
export class Queue {
  readonly #mostBytes: number;
  #pending: Pending[] = [];
  #events = new WrittenEvents();
  #spare = new WrittenEvents();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** What is accepted and not yet on disk, the batch under way included. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Accepts events, all of them or none. `onDisk` tells how many bytes an event of so many bytes takes there.
   *
   * @throws {DependencyError} when the queue is full
   * @throws {TypeError} when one of them is no object that JSON can hold
   */
  add(
    events: readonly object[] | WrittenEvents,
    { time, at }: Pick<Pending, "time" | "at">,
    onDisk: (eventBytes: number) => number,
  ): Promise<LedgerPosition> {
    if (this.#bytes >= this.#mostBytes) throw ledgerFull();
    const before = this.#events.count;
    if (events instanceof WrittenEvents) this.#events.addWritten(events);
    else this.#events.add(events);
    const { count } = this.#events;
    let bytes = 0;
    for (let index = before; index < count; index++) bytes += onDisk(this.#events.sizeOf(index));
    if (this.#bytes + bytes > this.#mostBytes) {
      this.#events.cutTo(before);
      throw ledgerFull();
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      this.#pending.push({ count: count - before, bytes, time, at, resolve, reject });
    });
  }

  /** Requires that what was taken before has been released. */
  take(): Batch {
    const batch = { pending: this.#pending, events: this.#events };
    this.#pending = [];
    this.#events = this.#spare;
    this.#spare = batch.events;
    return batch;
  }

  release({ events }: Batch): void {
    events.wipe();
  }

  /** So many bytes are on disk. */
  settle(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Forgets what waits and what was taken; gives who waited. */
  abandon(): readonly Pending[] {
    const waiting = this.#pending;
    this.#pending = [];
    this.#events.wipe();
    this.#bytes = 0;
    return waiting;
  }
}
