import type { DependencyError } from "@wardline/policy-types";
import type { LedgerPosition } from "../ledger.ts";
import { entryBytes, renderEntry } from "./entry.ts";
import { type OwnEvent, renderOwnEvent } from "./own-events.ts";
import { type EventSealer, sealedBytes } from "./seal.ts";

/** Events accepted and not yet on disk. */
export interface Pending {
  readonly texts: readonly string[];
  readonly bytes: number;
  /** When they were accepted, in milliseconds, and as it is written. */
  readonly time: number;
  readonly at: string;
  readonly resolve: (position: LedgerPosition) => void;
  readonly reject: (error: DependencyError) => void;
}

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
  bytesOf(batch: readonly Pending[], { entries }: LedgerPosition): number {
    let bytes = this.#notes.length * OWN_EVENT_BYTES;
    for (const { texts } of batch) for (const text of texts) bytes += this.entryBytes(text, entries);
    return bytes;
  }

  /** What one entry takes, but for the announcement of a key. */
  entryBytes(text: string, seq: number): number {
    const size = Buffer.byteLength(text);
    return entryBytes(seq, this.#sealer === undefined ? size : sealedBytes(size));
  }

  render(batch: readonly Pending[], before: LedgerPosition, now: number): RenderedBatch {
    const entries: { seq: number; at: string; hash: string }[] = [];
    const positions: LedgerPosition[] = [];
    let after = before;
    const lines: Buffer[] = [];
    const add = (event: string, at: string): void => {
      const stored = this.#sealer?.seal(after, at, event) ?? { kind: "plain" as const, text: event };
      const { line, after: next } = renderEntry(after, at, stored);
      lines.push(line);
      entries.push({ seq: after.entries, at, hash: next.hash });
      after = next;
    };
    const addOwn = (event: OwnEvent, at: string): void => {
      add(JSON.stringify(renderOwnEvent(this.#instance, at, event)), at);
    };

    for (const event of this.#notes) addOwn(event, new Date(now).toISOString());
    for (const { texts, time, at } of batch) {
      if (texts.length > 0 && time < this.#lastAt - CLOCK_TOLERANCE_MS) {
        addOwn({ kind: "clock-went-back", from: new Date(this.#lastAt).toISOString(), to: at }, at);
      }
      if (texts.length > 0) this.#lastAt = time;
      for (const event of texts) add(event, at);
      positions.push(after);
    }
    const [only] = lines;
    return { lines: lines.length === 1 && only !== undefined ? only : Buffer.concat(lines), entries, positions, after };
  }
}

/** Clocks are slewed by less all the time. */
export const CLOCK_TOLERANCE_MS = 1000;
const OWN_EVENT_BYTES = 1500;
