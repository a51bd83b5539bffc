import type { LedgerPosition, LedgerState } from "../ledger.ts";
import { CompactTree } from "../merkle/tree.ts";
import { readBase, treeOfBase } from "./base.ts";
import { CheckpointAudit, trustingParser } from "./checkpoint-audit.ts";
import { genesisHash } from "./entry.ts";
import { ledgerBroken, ledgerForeign, systemCode } from "./faults.ts";
import { createFile, type LedgerFiles, syncFolder, writeWhole } from "./files.ts";
import { leafHashOf } from "./leaf.ts";
import type { Tail } from "./segment-writer.ts";
import { baseFileOf } from "./segments.ts";
import { type Fault, walkLedger } from "./walk.ts";

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
 * Walks the whole ledger and finds where it ends. A last line that a crash left unfinished is put aside in a `.torn`
 * file and cut off; it was never acknowledged, because an entry is acknowledged with its newline on disk. With
 * `checkpoints`, what was signed must still be true: a log never signs two histories.
 *
 * @throws {DependencyError} when anything else does not fit: what was there before must be examined, not written after
 */
export async function recover(
  files: LedgerFiles,
  folder: string,
  instance: string,
  checkpoints: boolean,
): Promise<Resumption> {
  let position: LedgerPosition = { entries: 0, hash: genesisHash(instance) };
  let last: Tail | undefined;
  let lastAt: string | undefined;
  let tree = new CompactTree();
  let audit: CheckpointAudit | undefined;
  let torn: Torn | undefined;
  const check = (fault: Fault | undefined): void => {
    if (fault !== undefined) throw ledgerBroken(fault.at, fault.because);
  };
  for await (const step of walkLedger(folder)) {
    switch (step.kind) {
      case "begin": {
        const { base } = step;
        if (base !== undefined) {
          position = { entries: base.entries, hash: base.hash };
          tree = treeOfBase(base) ?? tree;
        }
        if (checkpoints) audit = new CheckpointAudit(folder, instance, tree, trustingParser(instance));
        break;
      }
      case "segment":
        if (step.segment.instance !== instance) throw ledgerForeign(step.segment.instance, instance);
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
        if (step.tornAt === undefined) throw ledgerBroken(step.at, step.because);
        torn = { file: step.at.file, offset: step.tornAt };
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

interface Torn {
  readonly file: string;
  readonly offset: number;
}

/** If we crash between the copy and the cut, the next start copies the same bytes again, under another name. */
async function cutTorn(
  files: LedgerFiles,
  folder: string,
  { file, offset }: Torn,
): Promise<{ file: string; bytes: number }> {
  const segment = await files.open(`${folder}/${file}`, "r+");
  try {
    const bytes = (await segment.stat()).size - offset;
    const torn = Buffer.alloc(bytes);
    await segment.read(torn, 0, bytes, offset);
    const aside = await putAside(files, folder, `${file}.${offset}`, torn);
    await segment.truncate(offset);
    await segment.sync();
    return { file: aside, bytes };
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
