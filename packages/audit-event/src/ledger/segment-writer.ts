import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { LedgerPosition } from "../ledger.ts";
import { ledgerBroken } from "./faults.ts";
import { createFile, type LedgerFiles, syncFolder, writeWhole } from "./files.ts";
import { listSegments, type Segment, segmentOf } from "./segments.ts";
import { walkSegment } from "./walk.ts";

export interface SegmentOptions {
  readonly folder: string;
  readonly instance: string;
  readonly segmentBytes: number;
}

/** Where in the last file the ledger ends. */
export interface Tail {
  readonly segment: Segment;
  /** What the segment's first entry links to. */
  readonly start: LedgerPosition;
  /** Bytes of the file that are acknowledged. */
  readonly size: number;
}

/** Writes batches to the ledger's last file and begins a new one when it is full. One call at a time. */
export class SegmentWriter {
  readonly #files: LedgerFiles;
  readonly #options: SegmentOptions;
  #tail: Tail;
  #handle: FileHandle | undefined;

  private constructor(files: LedgerFiles, options: SegmentOptions, tail: Tail, handle: FileHandle) {
    this.#files = files;
    this.#options = options;
    this.#tail = tail;
    this.#handle = handle;
  }

  static async open(
    files: LedgerFiles,
    options: SegmentOptions,
    position: LedgerPosition,
    last: Tail | undefined,
  ): Promise<SegmentWriter> {
    const { folder, instance } = options;
    const tail = last ?? { segment: segmentOf(instance, position.entries), start: position, size: 0 };
    const { file } = tail.segment;
    const handle =
      last === undefined ? await createFile(files, folder, file) : await files.open(join(folder, file), "a");
    // A process that was killed between its write and its sync has left whole lines that are not on the disk yet.
    await handle.datasync();
    return new SegmentWriter(files, options, tail, handle);
  }

  /** Number of the first entry of the file that is written to. */
  get first(): number {
    return this.#tail.segment.first;
  }

  /**
   * Begins a new file when the last cannot take `bytes` more; tells whether it did. If we crash after the new file is
   * there and before a line is in it, opening finds it empty and goes on with it.
   */
  async makeRoom(bytes: number, position: LedgerPosition): Promise<boolean> {
    const { folder, instance, segmentBytes } = this.#options;
    if (this.#tail.size === 0 || this.#tail.size + bytes <= segmentBytes) return false;
    const segment = segmentOf(instance, position.entries);
    const full = this.#handle;
    this.#handle = await createFile(this.#files, folder, segment.file);
    this.#tail = { segment, start: position, size: 0 };
    await full?.close();
    return true;
  }

  /** Resolves when the lines are on stable storage. After a rejection nothing may be written before `repair`. */
  async write(lines: Buffer): Promise<void> {
    if (this.#handle === undefined) throw new TypeError("the segment is not open");
    await writeWhole(this.#handle, lines);
    await this.#handle.datasync();
    this.#tail = { ...this.#tail, size: this.#tail.size + lines.length };
  }

  /**
   * After a failed write: checks that the last file holds what was acknowledged, to the byte, cuts off the rest, and
   * opens it again. Resolves to how many bytes it cut.
   *
   * @throws {DependencyError} when the file does not hold what was acknowledged: that is for people to look at
   * @throws a system error while the disk still fails
   */
  async repair(position: LedgerPosition): Promise<number> {
    const { folder } = this.#options;
    const { segment, size } = this.#tail;
    // A write that failed may have failed the handle with it.
    await this.#handle?.close().catch(() => undefined);
    this.#handle = undefined;
    await this.#removeBegun(position);
    await this.#verifyTail(position);
    const handle = await this.#files.open(join(folder, segment.file), "r+");
    let cut: number;
    try {
      cut = (await handle.stat()).size - size;
      await handle.truncate(size);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(this.#files, folder);
    this.#handle = await this.#files.open(join(folder, segment.file), "a");
    return cut;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** A file that was begun for entries that were never acknowledged has nothing to keep. */
  async #removeBegun(position: LedgerPosition): Promise<void> {
    const { folder } = this.#options;
    const { segment: last } = this.#tail;
    for (const segment of await listSegments(folder)) {
      if (segment.first <= last.first) continue;
      const at = { file: segment.file, line: 0, seq: segment.first };
      if (segment.first !== position.entries) throw ledgerBroken(at, "the segment is not one this process began");
      await this.#files.unlink(join(folder, segment.file));
    }
  }

  async #verifyTail(position: LedgerPosition): Promise<void> {
    const { segment, start, size } = this.#tail;
    if (size === 0) return;
    for await (const step of walkSegment(this.#options.folder, segment, start, true)) {
      if (step.kind === "fault") throw ledgerBroken(step.at, step.because);
      if (step.kind !== "entry" || step.end < size) continue;
      if (step.end === size && step.entry.hash === position.hash) return;
      throw ledgerBroken(step.at, "the entry is not the one that was acknowledged");
    }
    const at = { file: segment.file, line: 0, seq: position.entries };
    throw ledgerBroken(at, "entries that were acknowledged are missing");
  }
}
