import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { checkInteger } from "../ledger/options.ts";
import type { LedgerEntry } from "../ledger/read.ts";
import type { Sink, SinkLimits } from "../shipper/sink.ts";
import { linesOf } from "./lines.ts";
import { lookAtSink } from "./options.ts";

export interface NdjsonSinkOptions {
  /** Default `ndjson`. */
  readonly name?: string;
  /** Made when it is missing. The files hold who saw whom: they are readable by their owner only. */
  readonly folder: string;
  /** A file that has reached this size is followed by a new one, named after its first entry. Default 64 MiB. */
  readonly fileBytes?: number;
  /** Deadline of one delivery, and how much one carries. */
  readonly limits?: Partial<SinkLimits>;
}

/**
 * Exports the events to files of JSON lines, each on disk before the next batch.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function ndjsonSink(options: NdjsonSinkOptions): Sink {
  const { name = "ndjson", folder, fileBytes = 64 * MIB, limits } = options;
  const found = lookAtSink(options, { required: { folder: "name a folder" }, others: ["fileBytes"] });
  checkInteger(found, "fileBytes", fileBytes, 1, Number.MAX_SAFE_INTEGER);
  found.throwIfAny("ndjsonSink()");
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    async send(entries) {
      const [first] = entries;
      if (first === undefined) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await fileFor(folder, name, first, fileBytes);
      try {
        await endAtLine(file);
        await file.appendFile(linesOf(entries));
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(folder);
    },
  };
}

const MIB = 1024 * 1024;
const NUMBERED = /^\.\d{16}\.ndjson$/;

async function fileFor(folder: string, name: string, first: LedgerEntry, fileBytes: number): Promise<FileHandle> {
  const last = (await readdir(folder))
    .filter((file) => file.startsWith(`${name}.`) && NUMBERED.test(file.slice(name.length)))
    .sort()
    .at(-1);
  if (last !== undefined) {
    const handle = await open(join(folder, last), "a+");
    if ((await handle.stat()).size < fileBytes) return handle;
    await handle.close();
  }
  return open(join(folder, `${name}.${String(first.seq).padStart(16, "0")}.ndjson`), "a+", 0o600);
}

/** A crash may have left a part of a line. Its entry comes again, so the part is cut off. */
async function endAtLine(file: FileHandle): Promise<void> {
  let { size } = await file.stat();
  const whole = size;
  const piece = Buffer.alloc(64 * 1024);
  while (size > 0) {
    const from = Math.max(0, size - piece.length);
    const { bytesRead } = await file.read(piece, 0, size - from, from);
    const newline = piece.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (newline !== -1) {
      size = from + newline + 1;
      break;
    }
    size = from;
  }
  if (size < whole) await file.truncate(size);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
