import { join } from "node:path";
import { canonicalJson } from "../canonical.ts";
import type { LedgerPosition } from "../ledger.ts";
import { type Checkpoint, openCheckpoint, parseCheckpoint } from "../merkle/checkpoint.ts";
import type { NoteKey } from "../merkle/note.ts";
import type { CompactTree } from "../merkle/tree.ts";
import type { Base } from "./base.ts";
import { readLines } from "./read-lines.ts";
import {
  baseFileOf,
  checkpointFileOf,
  type LedgerPlace,
  listCheckpointFiles,
  listSegments,
  type Segment,
} from "./segments.ts";
import type { Fault, FaultCause } from "./walk.ts";

/** One line of a `.checkpoints` file. */
export interface CheckpointLine {
  readonly note: string;
  /** Hash of the last entry it covers. */
  readonly hash: string;
  /** At the end of a segment: what the tree needs to go on without it. */
  readonly frontier?: readonly string[];
}

export function renderCheckpointLine({ note, hash, frontier }: CheckpointLine): string {
  return `${canonicalJson({ note, hash, v: 1, ...(frontier === undefined ? {} : { frontier }) })}\n`;
}

/** In exactly the form it is written in. */
export function parseCheckpointLine(text: string): CheckpointLine | undefined {
  try {
    const line = JSON.parse(text) as CheckpointLine;
    return renderCheckpointLine(line) === `${text}\n` && typeof line.note === "string" ? line : undefined;
  } catch {
    return undefined;
  }
}

type NoteReader = (note: string) => Checkpoint | string;

/** Believes notes that one of the keys has signed, for this instance. */
export function verifyingParser(instance: string, keys: readonly NoteKey[]): NoteReader {
  return (note) => ofInstance(instance, openCheckpoint(note, keys));
}

/** Reads notes without asking who signed: for the ledger's own look at what it has signed itself. */
export function trustingParser(instance: string): NoteReader {
  return (note) =>
    ofInstance(instance, parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1)) ?? "the note is no checkpoint");
}

function ofInstance(instance: string, read: Checkpoint | string): Checkpoint | string {
  if (typeof read === "string" || read.origin.endsWith(`/${instance}`)) return read;
  return "the checkpoint is of another ledger";
}

interface Mark {
  readonly checkpoint: Checkpoint;
  readonly line?: CheckpointLine;
}

/** Holds a ledger's checkpoints against its Merkle tree, along a walk. The caller grows the tree. */
export class CheckpointAudit {
  /** The last checkpoint the tree agreed with, and how many did. */
  last: Checkpoint | undefined;
  lastNote: string | undefined;
  agreed = 0;
  /** A last line of checkpoints that a crash left unfinished. */
  torn: { readonly file: string; readonly offset: number } | undefined;
  readonly #folder: string;
  readonly #instance: string;
  readonly #tree: CompactTree;
  readonly #read: NoteReader;
  #marks: Mark[];
  #entered = -1;

  /** `outside`: a checkpoint kept elsewhere, which the ledger must hold too. */
  constructor(folder: string, instance: string, tree: CompactTree, read: NoteReader, outside?: Checkpoint) {
    this.#folder = folder;
    this.#instance = instance;
    this.#tree = tree;
    this.#read = read;
    this.#marks = outside === undefined ? [] : [{ checkpoint: outside }];
  }

  /** The checkpoint that stands for what has expired. */
  begin(base: Base): Fault | undefined {
    const place = { file: baseFileOf(this.#instance), line: 1, seq: base.entries };
    const checkpoint = this.#read(base.note);
    const before = { entries: 0, hash: "" };
    if (typeof checkpoint === "string") return fault("forged-checkpoint", place, checkpoint, before);
    if (checkpoint.size !== base.entries || !checkpoint.root.equals(this.#tree.root())) {
      return fault("forged-checkpoint", place, "the base is not the one its checkpoint was signed over", before);
    }
    this.last = checkpoint;
    return undefined;
  }

  /** Goes on from a checkpoint that covers everything the tree holds. */
  resume(checkpoint: Checkpoint, note: string): void {
    this.last = checkpoint;
    this.lastNote = note;
  }

  /** Takes up the checkpoints that were signed while this segment was the last. */
  async enter(segment: Segment, position: LedgerPosition): Promise<Fault | undefined> {
    this.#entered = segment.first;
    const file = checkpointFileOf(this.#instance, segment.first);
    const files = await listCheckpointFiles(this.#folder);
    if (!files.some((known) => known.file === file)) return this.reach(position, { file, line: 0, seq: segment.first });
    return (
      (await this.#load(file, position, files.at(-1)?.file === file)) ??
      this.reach(position, { file, line: 0, seq: segment.first })
    );
  }

  /** Compares the tree with the checkpoints of this very size. */
  reach(position: LedgerPosition, at: LedgerPlace): Fault | undefined {
    for (let [mark] = this.#marks; mark?.checkpoint.size === position.entries; [mark] = this.#marks) {
      this.#marks.shift();
      const { checkpoint, line } = mark;
      if (!checkpoint.root.equals(this.#tree.root())) {
        const from = this.last?.size ?? 0;
        const place = { ...at, seq: from };
        const range = `of entries ${from} to ${checkpoint.size - 1} some are not`;
        return fault(
          "rewritten",
          place,
          `${range} what the checkpoint of ${checkpoint.size} was signed over`,
          position,
        );
      }
      if (line !== undefined && !this.#fits(line, position)) {
        return fault("forged-checkpoint", at, "a checkpoint's line does not fit the entries", position);
      }
      this.last = checkpoint;
      this.lastNote = line?.note;
      this.agreed += 1;
    }
    return undefined;
  }

  /** What was signed and is no longer there. */
  async finish(position: LedgerPosition): Promise<Fault | undefined> {
    // A segment that was begun while we walked has checkpoints of its own, and was not walked.
    const begun = (await listSegments(this.#folder)).some(({ first }) => first > this.#entered);
    const files = begun ? [] : await listCheckpointFiles(this.#folder);
    const rest = files.filter(({ first }) => first > this.#entered);
    for (const { file } of rest) {
      const found = await this.#load(file, position, file === rest.at(-1)?.file);
      if (found !== undefined) return found;
    }
    const at = { file: checkpointFileOf(this.#instance, Math.max(this.#entered, 0)), line: 0, seq: position.entries };
    const found = this.reach(position, at);
    const [missing] = this.#marks;
    if (found !== undefined || missing === undefined) return found;
    return fault("truncated", at, `the ledger ends before the checkpoint of ${missing.checkpoint.size}`, position);
  }

  async #load(file: string, position: LedgerPosition, isLast: boolean): Promise<Fault | undefined> {
    let number = 0;
    for await (const { bytes, offset, ended } of readLines(join(this.#folder, file))) {
      number += 1;
      const place = { file, line: number, seq: position.entries };
      if (ended !== "newline") {
        if (!isLast) return fault("forged-checkpoint", place, "the line is not ended", position);
        this.torn = { file, offset };
        return undefined;
      }
      const line = parseCheckpointLine(bytes.toString());
      if (line === undefined) return fault("forged-checkpoint", place, "the line is no checkpoint", position);
      const checkpoint = this.#read(line.note);
      if (typeof checkpoint === "string") return fault("forged-checkpoint", place, checkpoint, position);
      if (checkpoint.size < position.entries) {
        return fault("forged-checkpoint", place, "the checkpoint is not in its place", position);
      }
      this.#marks.push({ checkpoint, line });
    }
    this.#marks.sort((a, b) => a.checkpoint.size - b.checkpoint.size);
    return undefined;
  }

  #fits({ hash, frontier }: CheckpointLine, position: LedgerPosition): boolean {
    const own = this.#tree.frontier().map((node) => node.hash.toString("hex"));
    return hash === position.hash && (frontier === undefined || frontier.join() === own.join());
  }
}

function fault(cause: FaultCause, at: LedgerPlace, because: string, before: LedgerPosition): Fault {
  return { kind: "fault", cause, at, because, before };
}
