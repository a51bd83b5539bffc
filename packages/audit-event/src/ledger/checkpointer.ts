import { join } from "node:path";
import type { Draft } from "../draft.ts";
import type { LedgerPosition, LedgerState } from "../ledger.ts";
import { renderCheckpoint } from "../merkle/checkpoint.ts";
import type { CheckpointSigner } from "../merkle/signer.ts";
import type { CompactTree } from "../merkle/tree.ts";
import { renderCheckpointLine } from "./checkpoint-audit.ts";
import type { Entry } from "./entry.ts";
import { systemCode } from "./faults.ts";
import { type LedgerFiles, syncFolder, writeWhole } from "./files.ts";
import { leafHashOf } from "./leaf.ts";
import { checkpointFileOf } from "./segments.ts";
import { Witnessing, withinDeadline } from "./witnessing.ts";

export interface CheckpointOptions {
  readonly folder: string;
  readonly instance: string;
  readonly signer: CheckpointSigner;
  readonly onCheckpoint: ((note: string) => Promise<void>) | undefined;
  readonly checkpointEveryMs: number;
  readonly checkpointEveryEntries: number;
}

/** A tree to be signed, as it was when it was asked for. */
interface Job {
  readonly file: string;
  readonly position: LedgerPosition;
  readonly root: Buffer;
  readonly frontier?: readonly string[];
}

/**
 * Signs the ledger's tree now and then, beside the appends and never in their way: a checkpoint covers only what is on
 * disk, and is itself on disk before anybody is shown it, so that no two that contradict each other ever go out.
 */
export class Checkpointer {
  readonly #files: LedgerFiles;
  readonly #options: CheckpointOptions;
  readonly #tree: CompactTree;
  readonly #witnessing: Witnessing;
  #position: LedgerPosition;
  #segment: number;
  /** Entries of the last checkpoint on disk. */
  #signed: number | undefined;
  #jobs: Job[] = [];
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failing: string | undefined;
  #due = false;
  #closed = false;
  /** Where the write under way began, or one that failed. */
  #torn: { readonly file: string; readonly size: number } | undefined;

  constructor(
    files: LedgerFiles,
    options: CheckpointOptions,
    begin: {
      readonly tree: CompactTree;
      readonly position: LedgerPosition;
      readonly segment: number;
      readonly signed: number | undefined;
      /** The last checkpoint, which nobody outside may have seen. */
      readonly note: string | undefined;
    },
  ) {
    this.#files = files;
    this.#options = options;
    this.#tree = begin.tree;
    this.#position = begin.position;
    this.#segment = begin.segment;
    this.#signed = begin.signed;
    this.#witnessing = new Witnessing(options.onCheckpoint);
    if (begin.note !== undefined) this.#witnessing.show(begin.note, begin.signed ?? 0);
  }

  state(): NonNullable<LedgerState["checkpoint"]> {
    const { witnessed, failing } = this.#witnessing;
    const state: Draft<NonNullable<LedgerState["checkpoint"]>> = { entries: this.#signed ?? 0 };
    if (this.#failing !== undefined) state.failing = this.#failing;
    if (witnessed !== undefined) state.witnessed = witnessed;
    if (failing !== undefined) state.witnessFailing = failing;
    return state;
  }

  /** Takes entries that are on disk. */
  add(entries: readonly Pick<Entry, "seq" | "at" | "hash">[], position: LedgerPosition): void {
    for (const entry of entries) this.#tree.append(leafHashOf(this.#options.instance, entry));
    this.#position = position;
    const waiting = position.entries - (this.#signed ?? 0);
    if (waiting >= this.#options.checkpointEveryEntries) this.#signNow();
    else this.#schedule();
  }

  /** A new file begins with the next entry. Its beginning is a place the ledger can later be verified from. */
  beginSegment(first: number): void {
    if (this.#position.entries > 0) {
      const frontier = this.#tree.frontier().map((node) => node.hash.toString("hex"));
      this.#jobs.push({ ...this.#job(), frontier });
      // What falls out is not lost: such a file expires together with the one after it.
      if (this.#jobs.length > MOST_JOBS) this.#jobs.shift();
      this.#run();
    }
    this.#segment = first;
  }

  /** Signs what is there and not yet signed. Resolves when it is on disk, or when that failed. */
  async flush(): Promise<void> {
    this.#signNow();
    await this.#running;
  }

  /** Signs no more; waits, at most so long, until the witness has seen the last one. Call `flush` before. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#witnessing.finish(deadlineMs);
  }

  #job(): Job {
    const { instance } = this.#options;
    return { file: checkpointFileOf(instance, this.#segment), position: this.#position, root: this.#tree.root() };
  }

  #signNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = true;
    this.#run();
  }

  #run(): void {
    if (this.#closed) return;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  async #work(): Promise<void> {
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      try {
        await this.#sign(job);
        this.#failing = undefined;
      } catch (error) {
        this.#failing = systemCode(error);
        this.#schedule();
        return;
      }
    }
  }

  #next(): Job | undefined {
    const job = this.#jobs.shift();
    if (job !== undefined) return job;
    if (!this.#due || this.#position.entries === this.#signed) return undefined;
    this.#due = false;
    return this.#job();
  }

  async #sign({ file, position, root, frontier }: Job): Promise<void> {
    const { signer, instance } = this.#options;
    const origin = `${signer.name}/${instance}`;
    const note = await withinDeadline(signer.sign(renderCheckpoint({ origin, size: position.entries, root })));
    // Another may write the files by now.
    if (this.#closed) return;
    const line = renderCheckpointLine({ note, hash: position.hash, ...(frontier === undefined ? {} : { frontier }) });
    await this.#persist(file, Buffer.from(line));
    this.#signed = position.entries;
    this.#witnessing.show(note, position.entries);
  }

  async #persist(file: string, line: Buffer): Promise<void> {
    await this.#cutTorn();
    const handle = await this.#files.open(join(this.#options.folder, file), "a", 0o600);
    try {
      const { size } = await handle.stat();
      this.#torn = { file, size };
      await writeWhole(handle, line);
      await handle.datasync();
      this.#torn = undefined;
      if (size === 0) await syncFolder(this.#files, this.#options.folder);
    } finally {
      await handle.close();
    }
  }

  /** A write that failed may have left a part of a line, which only the last file may end in. */
  async #cutTorn(): Promise<void> {
    if (this.#torn === undefined) return;
    const { file, size } = this.#torn;
    // It may have expired meanwhile: an empty one in its place says nothing.
    const handle = await this.#files.open(join(this.#options.folder, file), "a", 0o600);
    try {
      if ((await handle.stat()).size > size) await handle.truncate(size);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    this.#torn = undefined;
  }

  #schedule(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => this.#signNow(), this.#options.checkpointEveryMs).unref();
  }
}

const MOST_JOBS = 16;
