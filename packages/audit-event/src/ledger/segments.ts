import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** One file of a ledger. Named after its first entry, so that a missing one leaves a gap that shows. */
export interface Segment {
  readonly file: string;
  readonly instance: string;
  /** Number of its first entry. */
  readonly first: number;
}

export const INSTANCE_NAME: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const SEGMENT_FILE = /^([a-z0-9-]{1,64})\.(\d{16})\.jsonl$/;

export function segmentOf(instance: string, first: number): Segment {
  return { file: `${instance}.${String(first).padStart(16, "0")}.jsonl`, instance, first };
}

/** The segments of a folder in order. Other files are left alone. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const file of await readdir(folder)) {
    const match = SEGMENT_FILE.exec(file);
    if (match?.[1] !== undefined) segments.push({ file, instance: match[1], first: Number(match[2]) });
  }
  return segments.sort((a, b) => a.first - b.first || (a.file < b.file ? -1 : 1));
}

/** Makes the creation or removal of a file in the folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a file that must not exist, open for appending. Readable by its owner only: it holds who saw whom. */
export async function createFile(folder: string, file: string): Promise<FileHandle> {
  const handle = await open(join(folder, file), "ax", 0o600);
  await syncFolder(folder);
  return handle;
}
