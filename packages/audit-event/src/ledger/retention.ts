import { join } from "node:path";
import type { LedgerPosition } from "../ledger.ts";
import { parseCheckpoint } from "../merkle/checkpoint.ts";
import { renderBase } from "./base.ts";
import { parseCheckpointLine } from "./checkpoint-audit.ts";
import { looseEntry } from "./entry.ts";
import { type LedgerFiles, replaceFile, syncFolder } from "./files.ts";
import { readLines } from "./read-lines.ts";
import { baseFileOf, checkpointFileOf, listCheckpointFiles, listSegments, type Segment } from "./segments.ts";

export interface RetentionOptions {
  readonly folder: string;
  readonly instance: string;
  readonly days: number;
  readonly now: () => number;
}

/**
 * Removes whole segments all of whose entries are past their time, when a signed checkpoint stands at their end to
 * verify the rest from. Works beside the appends, one look at a time.
 *
 * Does NOT trust the clock alone: a time is past only if entries recorded before this process began say so too.
 */
export class Retention {
  readonly #files: LedgerFiles;
  readonly #options: RetentionOptions;
  readonly #knownTime: number;
  #expired: ((what: { readonly entries: number; readonly files: number }) => void) | undefined;
  #looking: Promise<void> | undefined;

  constructor(files: LedgerFiles, options: RetentionOptions, knownTime: number) {
    this.#files = files;
    this.#options = options;
    this.#knownTime = knownTime;
  }

  start(expired: (what: { readonly entries: number; readonly files: number }) => void): void {
    this.#expired = expired;
    this.look();
  }

  /** A failure is no harm: what could not be removed is looked at again with the next segment. */
  look(): void {
    this.#looking ??= this.#remove()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async close(): Promise<void> {
    await this.#looking;
  }

  /** If we crash after the base is there, what lies before it is ignored, and removed at the next look. */
  async #remove(): Promise<void> {
    const { folder, instance, days, now } = this.#options;
    const cutoff = Math.min(now(), this.#knownTime) - days * DAY_MS;
    const segments = await listSegments(folder);
    const end = await this.#expiredUpTo(segments, cutoff);
    if (end === undefined) return;
    await replaceFile(this.#files, folder, baseFileOf(instance), renderBase(end));
    const gone = segments.filter(({ first }) => first < end.entries);
    const notes = (await listCheckpointFiles(folder)).filter(({ first }) => first < end.entries);
    for (const { file } of [...gone, ...notes]) await this.#files.unlink(join(folder, file));
    await syncFolder(this.#files, folder);
    this.#expired?.({ entries: end.entries, files: gone.length });
  }

  /** The last boundary before which everything has expired and at which a checkpoint was signed. */
  async #expiredUpTo(
    segments: readonly Segment[],
    cutoff: number,
  ): Promise<(LedgerPosition & { frontier: readonly string[]; note: string }) | undefined> {
    const { folder, instance } = this.#options;
    let end: (LedgerPosition & { frontier: readonly string[]; note: string }) | undefined;
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1];
      if (next === undefined || !(await this.#isPast(segment, next, cutoff))) break;
      const file = checkpointFileOf(instance, segment.first);
      if (!(await listCheckpointFiles(folder)).some((known) => known.file === file)) continue;
      for await (const { bytes } of readLines(join(folder, file))) {
        const { note = "", hash = "", frontier } = parseCheckpointLine(bytes.toString()) ?? {};
        const entries = parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1))?.size;
        if (frontier !== undefined && entries === next.first) end = { entries, hash, frontier, note };
      }
    }
    return end;
  }

  /**
   * Every entry counts, because a clock may have gone back among them; a line that cannot be read is kept, and so is a file
   * that has lost some: it is evidence.
   */
  async #isPast({ file, first }: Segment, next: Segment, cutoff: number): Promise<boolean> {
    let entries = 0;
    for await (const { bytes } of readLines(join(this.#options.folder, file))) {
      if (!(Date.parse(looseEntry(bytes)?.at ?? "") < cutoff)) return false;
      entries += 1;
    }
    return entries === next.first - first;
  }
}

const DAY_MS = 86_400_000;
