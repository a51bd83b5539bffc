import type { ToldAlert } from "../alerts/told.ts";
import type { Pattern } from "../detectors/detector.ts";
import type { PeerLevel } from "../detectors/peers.ts";
import type { Measure } from "../measures/measure.ts";
import type { CallerKind } from "../watch/pseudonym.ts";

/** One thing a monitor remembers. Holds keyed hashes only, so it says something under the same key alone. */
export type HistoryEntry =
  | {
      readonly caller: readonly [
        kind: CallerKind,
        pseudonym: string,
        states: Readonly<Partial<Record<Pattern, unknown>>>,
      ];
      /** Nobody has proved to be this caller. */
      readonly claimed?: true;
    }
  | { readonly peers: readonly [group: string, level: PeerLevel] }
  | { readonly told: readonly [key: string, alert: ToldAlert] }
  | { readonly measure: Measure };

/** What has to be known to use entries. */
export interface HistoryHead {
  /** Of the states' shapes. */
  readonly version: typeof VERSION;
  /** When it was written, in milliseconds since the epoch. */
  readonly at: number;
  /** Seconds each pattern's windows cover: a window of another length cannot be counted on. */
  readonly windows: Readonly<Partial<Record<Pattern, number>>>;
}

export interface History {
  readonly head: HistoryHead;
  /** Whoever was seen last comes first. */
  readonly entries: Iterable<HistoryEntry>;
}

/** Raised when a detector's state changes its shape: what an older version wrote is then put aside. */
export const VERSION = 2;

export function renderEntry(entry: HistoryEntry): string {
  return JSON.stringify(entry, (_name, value: unknown) =>
    value instanceof Uint8Array ? { [REGISTERS]: Buffer.from(value).toString("base64") } : value,
  );
}

/** @throws {SyntaxError} when the text is no entry */
export function parseEntry(text: string): HistoryEntry {
  // A reviver costs more than the parsing: only few callers have a sketch that is not exact.
  const value: unknown = text.includes(REGISTERS) ? JSON.parse(text, revive) : JSON.parse(text);
  if (value === null || typeof value !== "object") throw new SyntaxError("an entry of the history is an object");
  return value as HistoryEntry;
}

/** @throws {SyntaxError} when the text is no head of this version */
export function parseHead(text: string): HistoryHead {
  const head = JSON.parse(text) as Partial<HistoryHead> | null;
  if (head?.version !== VERSION || !Number.isSafeInteger(head.at) || typeof head.windows !== "object") {
    throw new SyntaxError("the history has another version");
  }
  return head as HistoryHead;
}

const REGISTERS = "$registers";

function revive(_name: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || !(REGISTERS in value)) return value;
  return new Uint8Array(Buffer.from(String(value[REGISTERS]), "base64"));
}
