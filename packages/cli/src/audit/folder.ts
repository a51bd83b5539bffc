import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../exit.ts";
import { systemCode } from "../files.ts";

const SEGMENT = /^[a-z0-9-]+\.(\d{16})\.jsonl$/;

export interface SegmentSize {
  /** Number of its first entry. */
  readonly first: number;
  readonly bytes: number;
}

/** The segment files of a log, in order. For progress only: what they hold is audit-event's to judge. */
export async function segmentSizes(folder: string): Promise<readonly SegmentSize[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw new CliError(`${folder} cannot be read (${systemCode(error)}); give the folder of an audit log`);
  }
  const segments = names.flatMap((name) => {
    const first = SEGMENT.exec(name)?.[1];
    return first === undefined ? [] : [{ name, first: Number(first) }];
  });
  if (segments.length === 0) throw new CliError(`${folder} holds no audit log`);
  const sizes = segments.map(async ({ name, first }) => ({ first, bytes: (await stat(join(folder, name))).size }));
  return (await Promise.all(sizes)).sort((a, b) => a.first - b.first);
}

export async function sizeOf(folder: string): Promise<number> {
  return (await segmentSizes(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** How many bytes of the log lie before an entry; within a file by the average of the entries seen so far. */
export function bytesBefore(segments: readonly SegmentSize[]): (seq: number) => number {
  const starts: { readonly first: number; readonly before: number; readonly bytes: number }[] = [];
  let before = 0;
  for (const { first, bytes } of segments) {
    starts.push({ first, before, bytes });
    before += bytes;
  }
  let at = 0;
  return (seq) => {
    while (at + 1 < starts.length && (starts[at + 1]?.first ?? 0) <= seq) at++;
    const here = starts[at];
    if (here === undefined) return 0;
    const next = starts[at + 1]?.first;
    // The last file's number of entries is not known before it is read: as many to the byte as in those before it.
    const entries =
      next === undefined
        ? here.before === 0
          ? undefined
          : (here.first * here.bytes) / here.before
        : next - here.first;
    const share = entries === undefined ? 0.5 : Math.min(1, (seq - here.first) / entries);
    return here.before + here.bytes * share;
  };
}
