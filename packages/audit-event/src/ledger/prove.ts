import { join } from "node:path";
import { DependencyError } from "@wardline/policy-types";
import { type Checkpoint, parseCheckpoint } from "../merkle/checkpoint.ts";
import { consistencyRanges, inclusionRanges, type Range, RangeRoots, subtreeRanges } from "../merkle/ranges.ts";
import { isSubtree, type Subtree } from "../merkle/subtrees.ts";
import { treeOfBase } from "./base.ts";
import { parseCheckpointLine } from "./checkpoint-audit.ts";
import type { Entry } from "./entry.ts";
import { ledgerBroken } from "./faults.ts";
import { leafHashOf, renderLeaf } from "./leaf.ts";
import { readLines } from "./read-lines.ts";
import { listCheckpointFiles } from "./segments.ts";
import { walkLedger } from "./walk.ts";

/** Shows that one entry is in the ledger, to somebody who holds a checkpoint and nothing else. Plain JSON. */
export interface LedgerProof {
  readonly v: 1;
  readonly index: number;
  readonly size: number;
  /** The leaf's canonical JSON: id, time and hash of the entry. */
  readonly leaf: string;
  /** The hashes on the way to the root, in base64. */
  readonly path: readonly string[];
  /** The checkpoint of this size that the ledger holds. */
  readonly checkpoint: string;
  /** The stored bytes themselves, when asked for: they may hold PHI. */
  readonly entry?: string;
}

/** Shows that the ledger of an older checkpoint is the beginning of a newer one's. */
export interface ConsistencyProof {
  readonly v: 1;
  readonly first: number;
  readonly second: number;
  readonly path: readonly string[];
}

/** Shows that a run of entries stands in the ledger of a checkpoint, by the root of their own tree. */
export interface SubtreeProof extends Subtree {
  readonly v: 1;
  readonly size: number;
  /** Root of the tree over the run alone, in base64. */
  readonly root: string;
  readonly path: readonly string[];
}

/**
 * Proves that entry `seq` is in the ledger, by the last checkpoint in the folder or by one that the auditor holds.
 *
 * @throws {DependencyError} `audit-event/not-provable` when no checkpoint covers the entry, or what the proof needs has
 *   expired; `audit-event/ledger-broken` when the ledger does not verify up to there
 */
export async function prove(
  folder: string,
  seq: number,
  options: { readonly checkpoint?: string; readonly withEntry?: boolean } = {},
): Promise<LedgerProof> {
  const note = options.checkpoint ?? (await lastCheckpoint(folder));
  const size = note === undefined ? 0 : (bodyOf(note)?.size ?? 0);
  if (note === undefined || !Number.isSafeInteger(seq) || seq < 0 || seq >= size) throw notProvable("is covered");
  let found: { readonly leaf: string; readonly entry: Entry } | undefined;
  const path = await rootsOf(folder, inclusionRanges(seq, size), size, (instance, entry) => {
    if (entry.seq === seq) found = { leaf: renderLeaf(instance, entry), entry };
  });
  if (found === undefined) throw notProvable("is still there");
  const { leaf, entry } = found;
  const stored = options.withEntry === true ? { entry: entry.bytes.toString("utf8") } : {};
  return { v: 1, index: seq, size, leaf, path, checkpoint: note, ...stored };
}

/**
 * Proves that the newer checkpoint's ledger continues the older one's.
 *
 * @throws {DependencyError} as `prove` does
 */
export async function proveConsistency(folder: string, older: string, newer: string): Promise<ConsistencyProof> {
  const [first, second] = [bodyOf(older)?.size ?? 0, bodyOf(newer)?.size ?? 0];
  if (first < 1 || first > second) throw notProvable("is older than the other and not empty");
  const path = await rootsOf(folder, consistencyRanges(first, second), second, () => undefined);
  return { v: 1, first, second, path };
}

/**
 * Proves that the entries from `start` to `end` (exclusive) are a part of the checkpoint's ledger: a day's or a segment's
 * worth can then be shown against a root of its own.
 *
 * @throws {DependencyError} as `prove` does, also where the run is no subtree: it begins at a multiple of the smallest
 *   power of two that holds it
 * @see https://datatracker.ietf.org/doc/draft-ietf-plants-merkle-tree-certs/ section 4
 */
export async function proveSubtree(folder: string, subtree: Subtree, checkpoint: string): Promise<SubtreeProof> {
  const { start, end } = subtree;
  const size = bodyOf(checkpoint)?.size ?? 0;
  if (!isSubtree(subtree) || end > size) throw notProvable("is a subtree");
  const own = new RangeRoots([subtree]);
  const path = await rootsOf(folder, subtreeRanges(subtree, size), size, (instance, entry) => {
    own.add({ start: entry.seq, size: 1, hash: leafHashOf(instance, entry) });
  });
  const [root] = own.roots() ?? [];
  if (root === undefined) throw notProvable("is still there");
  return { v: 1, start, end, size, root: root.toString("base64"), path };
}

async function rootsOf(
  folder: string,
  ranges: readonly Range[],
  size: number,
  see: (instance: string, entry: Entry) => void,
): Promise<string[]> {
  const roots = new RangeRoots(ranges);
  let instance = "";
  for await (const step of walkLedger(folder)) {
    if (step.kind === "fault") throw ledgerBroken(step.at, step.because);
    if (step.kind === "begin") {
      instance = step.instance;
      const base = step.base === undefined ? undefined : treeOfBase(step.base);
      for (const node of base?.frontier() ?? []) roots.add(node);
    } else if (step.kind === "entry") {
      const { entry } = step;
      see(instance, entry);
      roots.add({ start: entry.seq, size: 1, hash: leafHashOf(instance, entry) });
      if (entry.seq + 1 === size) break;
    }
  }
  const path = roots.roots();
  if (path === undefined) throw notProvable("rests on entries that are still there");
  return path.map((hash) => hash.toString("base64"));
}

async function lastCheckpoint(folder: string): Promise<string | undefined> {
  for (const { file } of (await listCheckpointFiles(folder)).toReversed()) {
    let last: string | undefined;
    for await (const { bytes } of readLines(join(folder, file)))
      last = parseCheckpointLine(bytes.toString())?.note ?? last;
    if (last !== undefined) return last;
  }
  return undefined;
}

/** Whoever checks the proof checks the signature. */
function bodyOf(note: string): Checkpoint | undefined {
  return parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1));
}

function notProvable(what: string): DependencyError {
  return new DependencyError("audit-event/not-provable", `nothing that ${what} can be proved`, { retryable: false });
}
