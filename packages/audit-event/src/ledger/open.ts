import { mkdir } from "node:fs/promises";
import type { Ledger } from "../ledger.ts";
import { FileLedger } from "./file-ledger.ts";
import { takeLock } from "./lock.ts";
import { type LedgerOptions, parseLedgerOptions } from "./options.ts";
import { recover } from "./recover.ts";
import { openSegment } from "./segment-writer.ts";

/**
 * Opens (or begins) the ledger in a folder: verifies it from its first entry, puts an unfinished last line aside, and
 * makes this process its only writer.
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @throws {DependencyError} when another process has it open, when it does not verify, or when the disk fails
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const parsed = parseLedgerOptions(options);
  await mkdir(parsed.folder, { recursive: true, mode: 0o700 });
  const lock = await takeLock(parsed.folder);
  try {
    const { position, last, recovered } = await recover(parsed.folder, parsed.instance);
    const segment = await openSegment(parsed, position, last);
    return new FileLedger({ options: parsed, lock, segment, position, recovered });
  } catch (error) {
    await lock.release();
    throw error;
  }
}
