import { GrowingBytes } from "../growing-bytes.ts";
import type { LedgerPosition } from "../ledger.ts";
import { entryBytes, renderEntry } from "./entry.ts";
import { type OwnEvent, renderOwnEvent } from "./own-events.ts";
import type { Batch } from "./queue.ts";
import { type EventSealer, sealedBytes } from "./seal.ts";

export interface RenderedBatch {
  readonly lines: Buffer;
  readonly entries: readonly { readonly seq: number; readonly at: string; readonly hash: string }[];
  /** After the last event of each pending. */
  readonly positions: readonly LedgerPosition[];
  readonly after: LedgerPosition;
}

/** Makes the lines of a batch, and puts down what the ledger has to say about itself. */
export class BatchRenderer {
  readonly #instance: string;
  readonly #sealer: EventSealer | undefined;
  #notes: readonly OwnEvent[] = [];
  #lastAt: number;

  constructor(instance: string, lastAt: number, sealer: EventSealer | undefined) {
    this.#instance = instance;
    this.#lastAt = lastAt;
    this.#sealer = sealer;
  }

  get hasNotes(): boolean {
    return this.#notes.length > 0;
  }

  /** Goes before the next batch, and stays until it is on disk. */
  note(event: OwnEvent): void {
    this.#notes = [...this.#notes, event];
  }

  forgetNotes(): void {
    this.#notes = [];
  }

  /** The next attempt knows more. */
  forgetHealed(): void {
    this.#notes = this.#notes.filter((event) => event.kind !== "healed");
  }

  /** What the batch takes on disk: exact for plain events without notes, otherwise close. */
  bytesOf({ events }: Batch, { entries }: LedgerPosition): number {
    let bytes = this.#notes.length * OWN_EVENT_BYTES;
    for (let index = 0; index < events.count; index++) bytes += this.entryBytes(events.sizeOf(index), entries);
    return bytes;
  }

  /** What one entry takes, but for the announcement of a key. */
  entryBytes(eventBytes: number, seq: number): number {
    return entryBytes(seq, this.#sealer === undefined ? eventBytes : sealedBytes(eventBytes));
  }

  render(batch: Batch, before: LedgerPosition, now: number): RenderedBatch {
    const entries: { seq: number; at: string; hash: string }[] = [];
    const positions: LedgerPosition[] = [];
    let after = before;
    const lines = new GrowingBytes(this.bytesOf(batch, before));
    const add = (text: Uint8Array, at: string): void => {
      const stored = this.#sealer?.seal(after, at, text) ?? { kind: "plain" as const, text };
      const { after: next } = renderEntry(after, at, stored, lines);
      entries.push({ seq: after.entries, at, hash: next.hash });
      after = next;
    };
    const addOwn = (event: OwnEvent, at: string): void => {
      add(Buffer.from(JSON.stringify(renderOwnEvent(this.#instance, at, event))), at);
    };

    for (const event of this.#notes) addOwn(event, new Date(now).toISOString());
    let index = 0;
    for (const { count, time, at } of batch.pending) {
      if (count > 0 && time < this.#lastAt - CLOCK_TOLERANCE_MS) {
        addOwn({ kind: "clock-went-back", from: new Date(this.#lastAt).toISOString(), to: at }, at);
      }
      if (count > 0) this.#lastAt = time;
      for (const end = index + count; index < end; index++) add(batch.events.textOf(index), at);
      positions.push(after);
    }
    return { lines: lines.view(0), entries, positions, after };
  }
}

/** Clocks are slewed by less all the time. */
export const CLOCK_TOLERANCE_MS = 1000;
const OWN_EVENT_BYTES = 1500;
