import { join } from "node:path";
import type { LedgerPosition } from "../ledger.ts";
import { type Checkpoint, openCheckpoint } from "../merkle/checkpoint.ts";
import { type NoteKey, parseNoteKey } from "../merkle/note.ts";
import type { CheckpointSigner } from "../merkle/signer.ts";
import { type CompactTree, resumeTree } from "../merkle/tree.ts";
import { parseCheckpointLine } from "./checkpoint-audit.ts";
import { looseEntry } from "./entry.ts";
import { readLines } from "./read-lines.ts";
import { checkpointFileOf, listCheckpointFiles, listSegments, type Segment } from "./segments.ts";

/** A place to read a ledger from without what comes before it. */
export interface Start {
  readonly from: number;
  /** What was signed for everything before it. */
  readonly signed?: {
    readonly position: LedgerPosition;
    readonly tree: CompactTree;
    readonly checkpoint: Checkpoint;
    readonly note: string;
  };
}

/**
 * The last file that begins with a whole entry, and, where a signer is at hand, whose beginning this very signer has
 * signed. `undefined`: everything is to be read.
 *
 * Does NOT look at the files before it: whether they are what they were is for `verifyLedger`.
 */
export async function findStart(
  folder: string,
  instance: string,
  signer: CheckpointSigner | undefined,
): Promise<Start | undefined> {
  const segments = await listSegments(folder);
  if (segments.some((segment) => segment.instance !== instance)) return undefined;
  const key = signer === undefined ? undefined : parseNoteKey(signer.verifierKey);
  if (signer !== undefined && key === undefined) return undefined;
  for (let index = segments.length - 1; index > 0; index--) {
    const [before, segment] = [segments[index - 1], segments[index]];
    if (before === undefined || segment === undefined || !(await beginsWhole(folder, segment))) continue;
    if (key === undefined) return { from: segment.first };
    const signed = await signedAt(folder, before, segment.first, key);
    if (signed !== undefined) return { from: segment.first, signed };
  }
  return undefined;
}

async function beginsWhole(folder: string, { file, first }: Segment): Promise<boolean> {
  for await (const { bytes, ended } of readLines(join(folder, file))) {
    const entry = looseEntry(bytes);
    return ended === "newline" && entry?.whole === true && entry.seq === first;
  }
  return false;
}

/** The checkpoint at the end of a file, with the tree that goes on from there. */
async function signedAt(
  folder: string,
  { instance, first }: Segment,
  end: number,
  key: NoteKey,
): Promise<Start["signed"]> {
  const file = checkpointFileOf(instance, first);
  if (!(await listCheckpointFiles(folder)).some((known) => known.file === file)) return undefined;
  for await (const { bytes } of readLines(join(folder, file))) {
    const { note = "", hash = "", frontier } = parseCheckpointLine(bytes.toString()) ?? {};
    if (frontier === undefined) continue;
    const checkpoint = openCheckpoint(note, [key]);
    if (typeof checkpoint === "string" || checkpoint.size !== end) continue;
    const nodes = frontier.map((node) => Buffer.from(node, "hex"));
    const tree = resumeTree(end, nodes);
    const own = checkpoint.origin.endsWith(`/${instance}`) && tree?.root().equals(checkpoint.root) === true;
    if (tree !== undefined && own) return { position: { entries: end, hash }, tree, checkpoint, note };
  }
  return undefined;
}
