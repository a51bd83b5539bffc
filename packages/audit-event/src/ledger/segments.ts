import { readdir } from "node:fs/promises";

/** One file of a ledger. Named after its first entry, so that a missing one leaves a gap that shows. */
export interface Segment {
  readonly file: string;
  readonly instance: string;
  /** Number of its first entry. */
  readonly first: number;
}

/** Where in a ledger something is: the file, the line counted from 1, and the entry that belongs there. */
export interface LedgerPlace {
  readonly file: string;
  readonly line: number;
  readonly seq: number;
}

export const INSTANCE_NAME: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const SEGMENT_FILE = /^([a-z0-9-]{1,64})\.(\d{16})\.jsonl$/;
const CHECKPOINT_FILE = /^([a-z0-9-]{1,64})\.(\d{16})\.checkpoints$/;

export function segmentOf(instance: string, first: number): Segment {
  return { file: `${instance}.${digits(first)}.jsonl`, instance, first };
}

/** The file of the checkpoints signed while the segment that begins with entry `first` was the last. */
export function checkpointFileOf(instance: string, first: number): string {
  return `${instance}.${digits(first)}.checkpoints`;
}

/** The file that says where a ledger begins whose first segments have expired. */
export function baseFileOf(instance: string): string {
  return `${instance}.base`;
}

/** The segments of a folder in order. Other files are left alone. */
export async function listSegments(folder: string): Promise<Segment[]> {
  return matching(await readdir(folder), SEGMENT_FILE);
}

/** The files of checkpoints in a folder, in order. */
export async function listCheckpointFiles(folder: string): Promise<Segment[]> {
  return matching(await readdir(folder), CHECKPOINT_FILE);
}

function matching(files: readonly string[], pattern: RegExp): Segment[] {
  const found: Segment[] = [];
  for (const file of files) {
    const [, instance, first] = pattern.exec(file) ?? [];
    if (instance !== undefined) found.push({ file, instance, first: Number(first) });
  }
  return found.sort((a, b) => a.first - b.first || (a.file < b.file ? -1 : 1));
}

function digits(first: number): string {
  return String(first).padStart(16, "0");
}
