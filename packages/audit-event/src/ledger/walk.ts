import { join } from "node:path";
import type { LedgerPosition } from "../ledger.ts";
import { type Base, readBase } from "./base.ts";
import { checkEntry, type Entry, genesisHash, looseEntry } from "./entry.ts";
import { readLines } from "./read-lines.ts";
import { baseFileOf, type LedgerPlace, listSegments, type Segment } from "./segments.ts";

/** What does not fit, as far as the place itself shows it. */
export type FaultCause =
  | "base"
  | "foreign-segment"
  | "segment-gap"
  | "segment-overlap"
  | "torn"
  | "not-ended"
  | "entry"
  | "rewritten"
  | "truncated"
  | "forged-checkpoint";

export interface Fault {
  readonly kind: "fault";
  readonly cause: FaultCause;
  readonly at: LedgerPlace;
  readonly because: string;
  /** How far the chain holds. */
  readonly before: LedgerPosition;
  /** The last segment's last line is not ended: what a crash leaves. Its offset. */
  readonly tornAt?: number;
  /** A line of the last segment has zeros in it, and lines after it: what a power cut may leave. Its offset. */
  readonly holeAt?: number;
}

/** One step along the chain; a fault is the last. `end` is the offset in the file after the entry. */
export type Step =
  | { readonly kind: "begin"; readonly instance: string; readonly base?: Base }
  | { readonly kind: "segment"; readonly segment: Segment; readonly start: LedgerPosition }
  | {
      readonly kind: "entry";
      readonly entry: Entry;
      readonly before: LedgerPosition;
      readonly at: LedgerPlace;
      readonly end: number;
    }
  | Fault;

/**
 * Walks a ledger from its first entry, checking every line against the one before it. Holds one line at a time.
 * Everything that reads a ledger reads it through here. With `from`, files that end before that entry are passed over,
 * and what the first file's first line links to is believed, or compared with `known`.
 */
export async function* walkLedger(folder: string, from = 0, known?: LedgerPosition): AsyncGenerator<Step, void> {
  const segments = await listSegments(folder);
  const instance = segments[0]?.instance ?? "";
  const base = await readBase(folder, instance);
  let position: LedgerPosition = { entries: 0, hash: genesisHash(instance) };
  if (base === "malformed") {
    const at = { file: baseFileOf(instance), line: 1, seq: 0 };
    yield { kind: "fault", cause: "base", at, because: "the base is malformed", before: position };
    return;
  }
  if (base !== undefined) position = { entries: base.entries, hash: base.hash };
  yield { kind: "begin", instance, ...(base === undefined ? {} : { base }) };
  const [first] = segments;
  if (first === undefined) return;

  // A removal of expired segments that a crash broke off leaves some below the base.
  const kept = segments.filter((segment) => segment.first >= position.entries);
  if (kept.length === 0) {
    const at = { file: first.file, line: 0, seq: position.entries };
    yield { kind: "fault", cause: "segment-gap", at, because: SEGMENT_MISSING, before: position };
  }
  const begin = kept.findLastIndex((segment) => segment.first <= from);
  if (begin > 0) kept.splice(0, begin);
  if (begin > 0 && kept[0] !== undefined) position = known ?? (await linkOf(folder, kept[0]));
  for (const segment of kept) {
    const { file } = segment;
    const fault = (cause: FaultCause, because: string): Fault => {
      return { kind: "fault", cause, at: { file, line: 0, seq: position.entries }, because, before: position };
    };
    if (segment.instance !== instance) {
      yield fault("foreign-segment", "the segment belongs to another ledger");
      return;
    }
    if (segment.first !== position.entries) {
      yield fault(segment.first > position.entries ? "segment-gap" : "segment-overlap", SEGMENT_MISSING);
      return;
    }
    for await (const step of walkSegment(folder, segment, position, segment === kept.at(-1))) {
      yield step;
      if (step.kind === "fault") return;
      if (step.kind === "entry") position = { entries: step.entry.seq + 1, hash: step.entry.hash };
    }
  }
}

/** Walks one segment, whose first entry must follow `start`. */
export async function* walkSegment(
  folder: string,
  segment: Segment,
  start: LedgerPosition,
  isLast: boolean,
): AsyncGenerator<Step, void> {
  const { file } = segment;
  let before = start;
  let line = 0;
  const fault = (cause: FaultCause, because: string, left: Pick<Fault, "tornAt" | "holeAt"> = {}): Fault => {
    const at = { file, line, seq: before.entries };
    return { kind: "fault", cause, at, because, before, ...left };
  };
  yield { kind: "segment", segment, start };
  for await (const { bytes, offset, ended } of readLines(join(folder, file))) {
    line += 1;
    if (ended !== "newline") {
      const torn = ended === "end-of-file" && isLast;
      yield torn ? fault("torn", NOT_ENDED, { tornAt: offset }) : fault("not-ended", NOT_ENDED);
      return;
    }
    const entry = checkEntry(before, bytes);
    if (typeof entry === "string") {
      // An entry is JSON, which has no zero bytes.
      yield fault("entry", entry, isLast && bytes.includes(0) ? { holeAt: offset } : {});
      return;
    }
    yield { kind: "entry", entry, before, at: { file, line, seq: entry.seq }, end: offset + bytes.length + 1 };
    before = { entries: entry.seq + 1, hash: entry.hash };
  }
}

/** What a segment's first line links to. */
async function linkOf(folder: string, { file, first }: Segment): Promise<LedgerPosition> {
  for await (const { bytes } of readLines(join(folder, file))) {
    return { entries: first, hash: looseEntry(bytes)?.prev ?? "" };
  }
  return { entries: first, hash: "" };
}

const NOT_ENDED = "the line is not ended";
const SEGMENT_MISSING = "the segment does not begin where the entries before it end";
