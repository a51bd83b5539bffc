import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { LedgerPosition } from "../ledger.ts";
import { type Checkpoint, openCheckpoint } from "../merkle/checkpoint.ts";
import { type NoteKey, parseNoteKey } from "../merkle/note.ts";
import { CompactTree } from "../merkle/tree.ts";
import { treeOfBase } from "./base.ts";
import { CLOCK_TOLERANCE_MS } from "./batch.ts";
import { CheckpointAudit, verifyingParser } from "./checkpoint-audit.ts";
import { classify, type LedgerChange } from "./classify.ts";
import { leafHashOf } from "./leaf.ts";
import { type LedgerProgress, odometer } from "./progress.ts";
import { baseFileOf, type LedgerPlace } from "./segments.ts";
import { type Fault, walkLedger } from "./walk.ts";

export type LedgerVerdict =
  | {
      readonly ok: true;
      readonly entries: number;
      readonly segments: number;
      readonly head: LedgerPosition;
      /** Where it begins: past 0 when its first segments have expired and `keys` vouch for what remains. */
      readonly from: number;
      /** `not-checked`: no `keys` were given, so the chain alone speaks. `entries`: how many the last one covers. */
      readonly checkpoints: "not-checked" | { readonly agreed: number; readonly entries: number };
      /** Where the recorded time is earlier than before, by more than clocks are slewed: how often. */
      readonly clockWentBack: number;
    }
  | {
      readonly ok: false;
      /** What kind of change. */
      readonly change: LedgerChange;
      /** The first place that does not fit; everything before it does. */
      readonly at: LedgerPlace;
      readonly because: string;
      /** How far the chain holds. */
      readonly verified: LedgerPosition;
    };

export interface VerifyOptions {
  /** Verifier keys (`signer.verifierKey`) of who may sign this ledger's checkpoints. */
  readonly keys?: readonly string[];
  /** A position kept elsewhere (an earlier verdict's `head`, what `append` gave): the ledger must still hold it. */
  readonly expectHead?: LedgerPosition;
  /** A checkpoint kept elsewhere, as `onCheckpoint` got it: the ledger must still hold it. Needs `keys`. */
  readonly expectCheckpoint?: string;
  /**
   * Milliseconds since the epoch. A ledger whose first entries have expired must still begin at this time or earlier, with an
   * entry: whoever can write the files can cut it off at the signed end of any of them, and what remains looks as after a shorter
   * retention.
   */
  readonly expectSince?: number;
  /** Whose ledger it must be: another's, signed with the same key, may have been put in its place. */
  readonly instance?: string;
  /** Told how far it has come: at the start, every mebibyte, and at the end when the ledger is whole. May not throw. */
  readonly onProgress?: (progress: LedgerProgress) => void;
}

/**
 * Checks a ledger from its first entry to its last: every byte, the order, that nothing in between is missing, and (with
 * `keys`) that it is what its checkpoints were signed over. Streams; a ledger of any size costs the memory of one line.
 *
 * Without `keys` and without `expectHead`, entries cut off at the end, and a ledger written anew from the first entry by
 * someone who can write the files, cannot be told from the truth. With `keys`, that someone would have to cut off the
 * entries and checkpoints at the end together: `expectCheckpoint`, kept elsewhere, shows this too. What was cut off at the
 * beginning is shown by `expectSince`.
 *
 * Does NOT judge what the events say, nor decrypt them. A ledger that is being written may end in an unfinished line;
 * that is reported (`torn`).
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @throws when the folder cannot be read
 */
export async function verifyLedger(folder: string, options: VerifyOptions = {}): Promise<LedgerVerdict> {
  const { keys, outside } = parseVerifyOptions(options);
  const { expectHead, expectSince = Number.POSITIVE_INFINITY, onProgress } = options;
  const progress = onProgress === undefined ? undefined : await odometer(folder, onProgress);
  let segments = 0;
  let from = 0;
  let head: LedgerPosition = { entries: 0, hash: "" };
  let place: LedgerPlace = { file: "", line: 0, seq: 0 };
  let lastAt = Number.NEGATIVE_INFINITY;
  let clockWentBack = 0;
  let tree = new CompactTree();
  let instance = "";
  let audit: CheckpointAudit | undefined;
  let rewritten: Fault | undefined;
  const broken = (change: LedgerChange, because: string, at = place): LedgerVerdict => {
    return { ok: false, change, at, because, verified: head };
  };
  const beginsLate = (): LedgerVerdict => {
    return broken("deletion", BEGINS_LATE, { file: baseFileOf(instance), line: 1, seq: from - 1 });
  };
  const judge = async (fault: Fault): Promise<LedgerVerdict> => {
    const change = await classify(folder, fault);
    // When what stands before is not what was signed, it is that which was changed, and not the file after it.
    const before = change === "replayed-segment" && fault.cause === "entry" && rewritten !== undefined;
    return broken(before ? "edit" : change, fault.because, fault.at);
  };

  for await (const step of walkLedger(folder)) {
    let fault: Fault | undefined;
    if (step.kind === "fault") return judge(step);
    if (rewritten !== undefined && step.kind === "entry") return judge(rewritten);
    if (step.kind === "begin") {
      const { base } = step;
      instance = step.instance;
      if (options.instance !== undefined && instance !== options.instance) {
        return broken("replayed-segment", `it is the ledger of ${instance}`);
      }
      from = base?.entries ?? 0;
      // What a base stands for cannot be compared any more, and without `keys` anybody could have written it.
      const expected = Math.min(expectHead?.entries ?? from, outside?.size ?? from);
      if (expected < from) {
        return broken("deletion", BEFORE_THE_BASE, { file: baseFileOf(instance), line: 1, seq: expected });
      }
      if (keys === undefined) continue;
      if (base !== undefined) tree = treeOfBase(base) ?? tree;
      audit = new CheckpointAudit(folder, instance, tree, verifyingParser(instance, keys), outside);
      fault = base === undefined ? undefined : audit.begin(base);
    } else if (step.kind === "segment") {
      segments += 1;
      progress?.enter(step.segment);
      head = step.start;
      place = { file: step.segment.file, line: 0, seq: step.segment.first };
      fault = await audit?.enter(step.segment, head);
    } else {
      const { entry } = step;
      head = { entries: entry.seq + 1, hash: entry.hash };
      place = step.at;
      progress?.reach(step.end);
      const at = Date.parse(entry.at);
      if (entry.seq === from && from > 0 && at > expectSince) return beginsLate();
      if (at < lastAt - CLOCK_TOLERANCE_MS) clockWentBack += 1;
      lastAt = at;
      if (audit !== undefined) tree.append(leafHashOf(instance, entry));
      fault = audit?.reach(head, place);
    }
    // Where the chain breaks right after, it says more exactly what was done.
    if (fault?.cause === "rewritten") rewritten = fault;
    else if (fault !== undefined) return judge(fault);
    if (head.entries === expectHead?.entries && head.hash !== expectHead.hash) return broken("edit", NOT_THE_EXPECTED);
  }
  const fault = rewritten ?? (await audit?.finish(head));
  if (fault !== undefined) return judge(fault);
  if (audit?.torn !== undefined) {
    return broken("torn", "the last checkpoint is not ended", { file: audit.torn.file, line: 0, seq: head.entries });
  }
  if (segments === 0) return broken("deletion", "there is no ledger in the folder");
  // A base vouches for what was removed, not for when: of what is not there any more no time can be told.
  if (expectSince < Number.POSITIVE_INFINITY && from > 0 && head.entries === from) return beginsLate();
  if (audit?.last === undefined && audit !== undefined && head.entries > 0) return broken("truncation", NO_CHECKPOINT);
  if (expectHead !== undefined && head.entries < expectHead.entries) return broken("truncation", SHORTER);
  progress?.finish();
  const checkpoints = audit === undefined ? "not-checked" : { agreed: audit.agreed, entries: audit.last?.size ?? 0 };
  return { ok: true, entries: head.entries, segments, head, from, checkpoints, clockWentBack };
}

function parseVerifyOptions(options: VerifyOptions): {
  readonly keys: readonly NoteKey[] | undefined;
  readonly outside?: Checkpoint;
} {
  const found = findings();
  refuseUnknownKeys(found, options, [
    "keys",
    "expectHead",
    "expectCheckpoint",
    "expectSince",
    "instance",
    "onProgress",
  ]);
  const { expectSince, onProgress } = options;
  if (expectSince !== undefined && !Number.isFinite(expectSince)) {
    found.add("expectSince", "not-a-time", "give milliseconds since the epoch");
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    found.add("onProgress", "not-a-function", "give a function");
  }
  const keys = options.keys === undefined ? undefined : parseKeys(found, options.keys);
  let outside: Checkpoint | undefined;
  if (options.expectCheckpoint !== undefined) {
    const opened = openCheckpoint(options.expectCheckpoint, keys ?? []);
    if (typeof opened === "string") found.add("expectCheckpoint", "not-signed", opened);
    else outside = opened;
  }
  found.throwIfAny("verifyLedger()");
  return { keys, ...(outside === undefined ? {} : { outside }) };
}

function parseKeys(found: Findings, given: readonly string[]): NoteKey[] {
  const keys: NoteKey[] = [];
  for (const [index, vkey] of given.entries()) {
    const key = parseNoteKey(vkey);
    if (key === undefined) found.add(`keys[${index}]`, "malformed", "give a verifier key: name+id+base64");
    else keys.push(key);
  }
  if (given.length === 0) found.add("keys", "required", "give at least one verifier key, or leave it out");
  return keys;
}

const NOT_THE_EXPECTED = "the entry is not the one the expected head names";
const BEFORE_THE_BASE = "the ledger begins after what it is expected to hold";
const BEGINS_LATE = "the ledger begins later than it is expected to";
const SHORTER = "the ledger ends before the expected head";
const NO_CHECKPOINT = "no checkpoint is left: a ledger with a signer has one from its first entry on";
