import { open } from "node:fs/promises";
import { join } from "node:path";
import type { LedgerPosition, LedgerState } from "../ledger.ts";
import { genesisHash } from "./entry.ts";
import { ledgerBroken, ledgerForeign, systemCode } from "./faults.ts";
import { createFile, syncFolder } from "./segments.ts";
import { walkLedger } from "./walk.ts";

/** Where writing goes on. */
export interface Resumption {
  readonly position: LedgerPosition;
  /** The segment to append to and its size; absent: there is none yet. */
  readonly last?: { readonly file: string; readonly size: number };
  readonly recovered?: NonNullable<LedgerState["recovered"]>;
}

/**
 * Walks the whole ledger and finds where it ends. A last line that a crash left unfinished is put aside in a `.torn`
 * file and cut off; it was never acknowledged, because an entry is acknowledged with its newline on disk.
 *
 * @throws {DependencyError} when anything else does not fit: what was there before must be examined, not written after
 */
export async function recover(folder: string, instance: string): Promise<Resumption> {
  let position: LedgerPosition = { entries: 0, hash: genesisHash(instance) };
  let last: { file: string; size: number } | undefined;
  for await (const step of walkLedger(folder)) {
    if (step.kind === "segment") {
      if (step.segment.instance !== instance) throw ledgerForeign(step.segment.instance, instance);
      last = { file: step.segment.file, size: 0 };
    } else if (step.kind === "entry") {
      position = { entries: step.entry.seq + 1, hash: step.entry.hash };
      last = { file: step.at.file, size: step.end };
    } else {
      if (step.tornAt === undefined) throw ledgerBroken(step.at, step.because);
      const recovered = await cutTorn(folder, step.at.file, step.tornAt);
      return { position, last: { file: step.at.file, size: step.tornAt }, recovered };
    }
  }
  return last === undefined ? { position } : { position, last };
}

/** If we crash between the copy and the cut, the next start copies the same bytes again, under another name. */
async function cutTorn(folder: string, file: string, offset: number): Promise<{ file: string; bytes: number }> {
  const segment = await open(join(folder, file), "r+");
  try {
    const bytes = (await segment.stat()).size - offset;
    const torn = Buffer.alloc(bytes);
    await segment.read(torn, 0, bytes, offset);
    const aside = await putAside(folder, `${file}.${offset}`, torn);
    await segment.truncate(offset);
    await segment.sync();
    return { file: aside, bytes };
  } finally {
    await segment.close();
  }
}

async function putAside(folder: string, stem: string, bytes: Buffer): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const file = attempt === 0 ? `${stem}.torn` : `${stem}.${attempt}.torn`;
    try {
      const handle = await createFile(folder, file);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncFolder(folder);
      return file;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }
}
