import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { LedgerPosition } from "../ledger.ts";
import { createFile, segmentOf } from "./segments.ts";

/** Writes batches to the ledger's last file and begins a new one when it is full. One call at a time. */
export interface SegmentWriter {
  /** Resolves when the lines are on stable storage. After a rejection nothing may be written any more. */
  write(lines: Buffer, before: LedgerPosition): Promise<void>;
  close(): Promise<void>;
}

export interface SegmentOptions {
  readonly folder: string;
  readonly instance: string;
  readonly segmentBytes: number;
}

export async function openSegment(
  { folder, instance, segmentBytes }: SegmentOptions,
  position: LedgerPosition,
  last: { readonly file: string; readonly size: number } | undefined,
): Promise<SegmentWriter> {
  const begin = (at: LedgerPosition): Promise<FileHandle> => createFile(folder, segmentOf(instance, at.entries).file);
  let handle = last === undefined ? await begin(position) : await open(join(folder, last.file), "a");
  let size = last?.size ?? 0;
  // A process that was killed between its write and its sync has left whole lines that are not on the disk yet.
  await handle.datasync();

  return {
    async write(lines, before) {
      // If we crash after the new file is there and before a line is in it, opening finds it empty and goes on with it.
      if (size > 0 && size + lines.length > segmentBytes) {
        const full = handle;
        handle = await begin(before);
        size = 0;
        await full.close();
      }
      await writeWhole(handle, lines);
      await handle.datasync();
      size += lines.length;
    },
    close: () => handle.close(),
  };
}

/** The system may take a part: at a limit, it takes what fits and reports the error on the next call. */
async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}
