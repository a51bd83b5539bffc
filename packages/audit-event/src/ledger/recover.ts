import type { LedgerPosition, LedgerState } from "../ledger.ts";
import { CompactTree } from "../merkle/tree.ts";
import { readBase, treeOfBase } from "./base.ts";
import { CheckpointAudit, trustingParser } from "./checkpoint-audit.ts";
import { genesisHash } from "./entry.ts";
import { ledgerBroken, ledgerForeign, ledgerHole, systemCode } from "./faults.ts";
import { createFile, type LedgerFiles, syncFolder, writeWhole } from "./files.ts";
import { leafHashOf } from "./leaf.ts";
import type { ParsedLedgerOptions } from "./options.ts";
import { findStart } from "./resume.ts";
import type { Tail } from "./segment-writer.ts";
import { baseFileOf } from "./segments.ts";
import { type Fault, walkLedger } from "./walk.ts";

type RecoverOptions = Pick<ParsedLedgerOptions, "folder" | "instance" | "signer" | "verifyAtStart" | "putAside">;

/** Where writing goes on. */
export interface Resumption {
  readonly position: LedgerPosition;
  /** The Merkle tree of all entries, when checkpoints are wanted. */
  readonly tree: CompactTree;
  /** How many entries the last checkpoint on disk covers; `undefined`: there is none. And the checkpoint itself. */
  readonly checkpointed: number | undefined;
  readonly note: string | undefined;
  /** Time of the last entry. */
  readonly lastAt?: string;
  /** The segment to append to; absent: there is none yet. */
  readonly last?: Tail;
  readonly recovered?: NonNullable<LedgerState["recovered"]>;
}

/**
 * Walks the ledger, from its last file on where that has been signed or nothing is, and finds where it ends. A last line
 * that a crash left unfinished is put aside in a `.torn` file and cut off; it was never acknowledged, because an entry is
 * acknowledged with its newline on disk. What a signer at hand has signed must still be true: a log never signs two
 * histories.
 *
 * @throws {DependencyError} when anything else does not fit: what was there before must be examined, not written after
 */
export async function recover(files: LedgerFiles, options: RecoverOptions): Promise<Resumption> {
  const { folder, instance, signer, verifyAtStart } = options;
  const begin = verifyAtStart === "last-file" ? await findStart(folder, instance, signer) : undefined;
  let position: LedgerPosition = { entries: 0, hash: genesisHash(instance) };
  let last: Tail | undefined;
  let lastAt: string | undefined;
  let tree = begin?.signed?.tree ?? new CompactTree();
  let audit: CheckpointAudit | undefined;
  let torn: Torn | undefined;
  const check = (fault: Fault | undefined): void => {
    if (fault !== undefined) throw ledgerBroken(fault.at, fault.because);
  };
  for await (const step of walkLedger(folder, begin?.from, begin?.signed?.position)) {
    switch (step.kind) {
      case "begin": {
        const { base } = step;
        if (base !== undefined && begin === undefined) {
          position = { entries: base.entries, hash: base.hash };
          tree = treeOfBase(base) ?? tree;
        }
        if (signer !== undefined) audit = new CheckpointAudit(folder, instance, tree, trustingParser(instance));
        if (begin?.signed !== undefined) audit?.resume(begin.signed.checkpoint, begin.signed.note);
        break;
      }
      case "segment":
        if (step.segment.instance !== instance) throw ledgerForeign(step.segment.instance, instance);
        position = step.start;
        check(await audit?.enter(step.segment, position));
        last = { segment: step.segment, start: step.start, size: 0 };
        break;
      case "entry":
        position = { entries: step.entry.seq + 1, hash: step.entry.hash };
        lastAt = step.entry.at;
        if (last !== undefined) last = { ...last, size: step.end };
        if (audit !== undefined) tree.append(leafHashOf(instance, step.entry));
        check(audit?.reach(position, step.at));
        break;
      case "fault":
        torn = tornAt(step, options.putAside);
    }
  }
  if (last === undefined && (await readBase(folder, instance)) !== undefined) {
    throw ledgerBroken({ file: baseFileOf(instance), line: 1, seq: 0 }, "the segments after the base are missing");
  }
  check(await audit?.finish(position));
  if (audit?.torn !== undefined) await cut(files, folder, audit.torn);
  const recovered = torn === undefined ? undefined : await cutTorn(files, folder, torn);
  return {
    position,
    tree,
    checkpointed: audit?.last?.size,
    note: audit?.lastNote,
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(last === undefined ? {} : { last }),
    ...(recovered === undefined ? {} : { recovered }),
  };
}

/** Where to cut: at a last line without an end, or at the very place that people have looked at. */
function tornAt({ at, because, tornAt: torn, holeAt: hole }: Fault, putAside: string | undefined): Torn {
  if (torn !== undefined) return { file: at.file, offset: torn };
  if (hole === undefined) throw ledgerBroken(at, because);
  if (putAside !== `${at.file}:${at.line}`) throw ledgerHole(at);
  return { file: at.file, offset: hole, hole: true };
}

interface Torn {
  readonly file: string;
  readonly offset: number;
  readonly hole?: true;
}

/** If we crash between the copy and the cut, the next start copies the same bytes again, under another name. */
async function cutTorn(
  files: LedgerFiles,
  folder: string,
  { file, offset, hole }: Torn,
): Promise<NonNullable<LedgerState["recovered"]>> {
  const segment = await files.open(`${folder}/${file}`, "r+");
  try {
    const bytes = (await segment.stat()).size - offset;
    const torn = Buffer.alloc(bytes);
    await segment.read(torn, 0, bytes, offset);
    const aside = await putAside(files, folder, `${file}.${offset}`, torn);
    await segment.truncate(offset);
    await segment.sync();
    return { file: aside, bytes, ...(hole === undefined ? {} : { hole }) };
  } finally {
    await segment.close();
  }
}

/** A checkpoint that is not whole on disk was shown to nobody. */
async function cut(files: LedgerFiles, folder: string, { file, offset }: Torn): Promise<void> {
  const handle = await files.open(`${folder}/${file}`, "r+");
  try {
    await handle.truncate(offset);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function putAside(files: LedgerFiles, folder: string, stem: string, bytes: Buffer): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const file = attempt === 0 ? `${stem}.torn` : `${stem}.${attempt}.torn`;
    try {
      const handle = await createFile(files, folder, file);
      try {
        await writeWhole(handle, bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncFolder(files, folder);
      return file;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }
}
