import { mkdir } from "node:fs/promises";
import { DependencyError } from "@wardline/policy-types";
import type { Ledger } from "../ledger.ts";
import { Checkpointer } from "./checkpointer.ts";
import { folderUnusable } from "./faults.ts";
import { FileLedger, type Parts } from "./file-ledger.ts";
import { type LedgerFiles, SYSTEM_FILES } from "./files.ts";
import { type FolderLock, takeLock } from "./lock.ts";
import { type LedgerOptions, type ParsedLedgerOptions, parseLedgerOptions } from "./options.ts";
import { type Resumption, recover } from "./recover.ts";
import { Retention } from "./retention.ts";
import { EventSealer } from "./seal.ts";
import { SegmentWriter } from "./segment-writer.ts";

/**
 * Opens (or begins) the ledger in a folder: verifies it from its last file on, puts an unfinished last line aside, and
 * makes this process its only writer.
 *
 * Does NOT look at earlier files, unless `verifyAtStart` says so: that is for `verifyLedger`, at any time.
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @throws {DependencyError} when another process has it open, when it does not verify, or when the disk fails
 */
export function openLedger(options: LedgerOptions): Promise<Ledger> {
  return openLedgerOn(SYSTEM_FILES, options);
}

/** The same on a file system of the caller's. */
export async function openLedgerOn(files: LedgerFiles, options: LedgerOptions): Promise<Ledger> {
  const parsed = parseLedgerOptions(options);
  const lock = await occupy(parsed.folder);
  try {
    const found = await recover(files, parsed);
    const segment = await SegmentWriter.open(files, parsed, found.position, found.last);
    try {
      const ledger = new FileLedger(partsOf(files, parsed, lock, segment, found));
      await ledger.begin();
      return ledger;
    } catch (error) {
      await segment.close();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function occupy(folder: string): Promise<FolderLock> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await takeLock(folder);
  } catch (error) {
    throw error instanceof DependencyError ? error : folderUnusable(folder, error);
  }
}

function partsOf(
  files: LedgerFiles,
  options: ParsedLedgerOptions,
  lock: FolderLock,
  segment: SegmentWriter,
  { position, tree, checkpointed, note, lastAt, recovered }: Resumption,
): Parts {
  const { folder, instance, now, signer, encryption, retention } = options;
  const lastTime = lastAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(lastAt);
  return {
    options,
    lock,
    segment,
    position,
    lastAt: lastTime,
    recovered,
    sealer: encryption === undefined ? undefined : new EventSealer(encryption, instance),
    checkpointer:
      signer === undefined
        ? undefined
        : new Checkpointer(
            files,
            { ...options, signer },
            { tree, position, segment: segment.first, signed: checkpointed, note },
          ),
    // Without a signed checkpoint what remains could not be verified.
    retention:
      signer === undefined || retention === "forever"
        ? undefined
        : new Retention(files, { folder, instance, now, days: retention.days }, lastTime),
  };
}
