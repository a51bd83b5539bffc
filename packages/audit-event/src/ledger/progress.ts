import { stat } from "node:fs/promises";
import { join } from "node:path";
import { listSegments, type Segment } from "./segments.ts";

/** How much of a ledger has been read, in bytes of its segment files. */
export interface LedgerProgress {
  readonly bytes: number;
  /** As it was at the start: a ledger that is being written grows past it. */
  readonly totalBytes: number;
}

/** Follows a walk; tells at the start, at every mebibyte, after each segment, and when nothing is left. */
export interface Odometer {
  enter(segment: Segment): void;
  /** `end`: offset in the segment. */
  reach(end: number): void;
  finish(): void;
}

export async function odometer(folder: string, tell: (progress: LedgerProgress) => void): Promise<Odometer> {
  const segments = await listSegments(folder);
  const sizes = await Promise.all(segments.map(async ({ file }) => (await stat(join(folder, file))).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  let told = 0;
  tell({ bytes: 0, totalBytes });
  const tellAt = (bytes: number): void => {
    told = bytes;
    tell({ bytes, totalBytes });
  };
  return {
    enter(segment) {
      const at = segments.findIndex(({ file }) => file === segment.file);
      before = sizes.slice(0, Math.max(at, 0)).reduce((sum, size) => sum + size, 0);
      if (before > told) tellAt(before);
    },
    reach(end) {
      if (before + end - told >= EVERY_BYTES) tellAt(before + end);
    },
    finish() {
      if (told < totalBytes) tellAt(totalBytes);
    },
  };
}

const EVERY_BYTES = 1024 * 1024;
