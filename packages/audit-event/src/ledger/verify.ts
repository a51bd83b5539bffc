import type { LedgerPosition } from "../ledger.ts";
import { ledgerBroken } from "./faults.ts";
import { type LedgerPlace, walkLedger } from "./walk.ts";

export type LedgerVerdict =
  | { readonly ok: true; readonly entries: number; readonly segments: number; readonly head: LedgerPosition }
  | {
      readonly ok: false;
      /** The first place that does not fit; everything before it does. */
      readonly at: LedgerPlace;
      readonly because: string;
      /** How far the chain holds. */
      readonly verified: LedgerPosition;
    };

/**
 * Checks a ledger from its first entry to its last: every byte, the order, and that nothing in between is missing.
 * Streams; a ledger of any size costs the memory of one line.
 *
 * `expectHead` is a position kept elsewhere (an earlier verdict's `head`, what `append` gave): the ledger must still
 * hold it. Without one, entries cut off at the end, and a ledger written anew from the first entry by someone who can
 * write the files, cannot be told from the truth.
 *
 * Does NOT judge what the events say. A ledger that is being written may end in an unfinished line; that is reported.
 *
 * @throws when the folder cannot be read
 */
export async function verifyLedger(
  folder: string,
  options: { readonly expectHead?: LedgerPosition } = {},
): Promise<LedgerVerdict> {
  const { expectHead } = options;
  let segments = 0;
  let head: LedgerPosition = { entries: 0, hash: "" };
  let place: LedgerPlace = { file: "", line: 0, seq: 0 };
  const broken = (because: string, at = place): LedgerVerdict => ({ ok: false, at, because, verified: head });

  for await (const step of walkLedger(folder)) {
    if (step.kind === "fault") return broken(step.because, step.at);
    if (step.kind === "segment") {
      segments += 1;
      head = step.start;
      place = { file: step.segment.file, line: 0, seq: step.segment.first };
    } else {
      head = { entries: step.entry.seq + 1, hash: step.entry.hash };
      place = step.at;
    }
    if (head.entries === expectHead?.entries && head.hash !== expectHead.hash) return broken(NOT_THE_EXPECTED);
  }
  if (segments === 0) return broken("there is no ledger in the folder");
  if (expectHead !== undefined && head.entries < expectHead.entries) return broken(SHORTER);
  return { ok: true, entries: head.entries, segments, head };
}

const NOT_THE_EXPECTED = "the entry is not the one the expected head names";
const SHORTER = "the ledger ends before the expected head";

/** One entry as read back. */
export interface LedgerEntry {
  readonly seq: number;
  readonly at: string;
  readonly hash: string;
  readonly event: unknown;
}

/**
 * Reads a ledger's entries in order, each checked against the one before it. Throws at the first that does not fit, so
 * that nothing unverified is taken for a record.
 */
export async function* readLedger(folder: string): AsyncGenerator<LedgerEntry, void> {
  for await (const step of walkLedger(folder)) {
    if (step.kind === "fault") throw ledgerBroken(step.at, step.because);
    if (step.kind === "entry") {
      const { seq, at, hash, event } = step.entry;
      yield { seq, at, hash, event: JSON.parse(event) as unknown };
    }
  }
}
