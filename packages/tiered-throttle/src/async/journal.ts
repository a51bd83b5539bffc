import { type FileHandle, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { DependencyError } from "@wardline/policy-types";

/**
 * An append-only file. Each line is what was synced at once, an array: whatever a power cut leaves of it, it is one unreadable line at
 * the end.
 */
export interface Journal {
  /**
   * Resolves when the entry is on stable storage; entries that wait together are written together. `apply` makes memory say the same, and
   * is called before anything else is written.
   */
  append(entry: object, apply?: () => void): Promise<void>;
  /** Replaces everything written so far by what `entries` gives when its turn comes. If we crash here, the old file or the new one is found. */
  rewrite(entries: () => readonly object[]): Promise<void>;
  /** Entries in the file. */
  readonly entries: number;
  close(): Promise<void>;
}

const NEWLINE = 0x0a;

/**
 * Opens the file, or begins it, and gives what it holds. What a crash left unfinished at the end is cut off: it was never
 * acknowledged.
 *
 * Does NOT keep a second process out: one folder belongs to one process.
 *
 * @throws {DependencyError} for an unreadable line that readable ones follow: that is for people to look at
 */
export async function openJournal(path: string): Promise<{ readonly journal: Journal; readonly entries: unknown[] }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { entries, size: whole } = readLines(await readOrEmpty(path));
  let handle = await open(path, "a", 0o600);
  let size = whole;
  let count = entries.length;
  await handle.truncate(size);
  await handle.datasync();
  await syncFolder(dirname(path));

  let waiting: {
    readonly text: string;
    readonly apply: () => void;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  let broken = false;
  let isNamed = true;
  /** One thing is written at a time. */
  let last: Promise<void> = Promise.resolve();
  function inTurn(step: () => Promise<void>): Promise<void> {
    const done = last.then(step);
    last = done.catch(() => undefined);
    return done;
  }

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      // A write that failed may have left a piece of a line.
      if (broken) await handle.truncate(size);
      if (!isNamed) await syncFolder(dirname(path));
      isNamed = true;
      broken = true;
      const bytes = lineOf(batch.map(({ text }) => text));
      await handle.appendFile(bytes);
      await handle.datasync();
      broken = false;
      size += bytes.length;
      count += batch.length;
      for (const { apply, resolve } of batch) {
        apply();
        resolve();
      }
    } catch (cause) {
      const error = new DependencyError("tiered-throttle/async-journal", "the journal of jobs cannot be written", {
        cause,
        retryable: false,
      });
      for (const { reject } of batch) reject(error);
    }
  }

  const journal: Journal = {
    append(entry, apply = () => undefined) {
      return new Promise((resolve, reject) => {
        waiting.push({ text: JSON.stringify(entry), apply, resolve, reject });
        void inTurn(flush);
      });
    },
    rewrite(entriesNow) {
      return inTurn(async () => {
        const replacement = entriesNow();
        const bytes = lineOf(replacement.map((entry) => JSON.stringify(entry)));
        const old = handle;
        handle = await writeAside(path, bytes);
        // If the new name cannot be made safe now, it is before the next line is acknowledged.
        isNamed = false;
        size = bytes.length;
        count = replacement.length;
        broken = false;
        await old.close();
        await syncFolder(dirname(path));
        isNamed = true;
      });
    },
    get entries() {
      return count;
    },
    close: () => inTurn(() => handle.close()),
  };
  return { journal, entries };
}

async function writeAside(path: string, bytes: Buffer): Promise<FileHandle> {
  const aside = `${path}.new`;
  await unlink(aside).catch(() => undefined);
  const handle = await open(aside, "ax", 0o600);
  try {
    await handle.appendFile(bytes);
    await handle.datasync();
    await rename(aside, path);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function readLines(bytes: Buffer): { readonly entries: unknown[]; readonly size: number } {
  const entries: unknown[] = [];
  let size = 0;
  let torn = false;
  for (let start = 0, end = bytes.indexOf(NEWLINE); end >= 0; start = end + 1, end = bytes.indexOf(NEWLINE, start)) {
    const synced = parse(bytes.toString("utf8", start, end));
    if (synced === undefined) {
      torn = true;
      continue;
    }
    if (torn)
      throw new DependencyError("tiered-throttle/async-journal", "the journal of jobs has an unreadable line", {
        retryable: false,
      });
    entries.push(...synced);
    size = end + 1;
  }
  return { entries, size };
}

function parse(line: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function lineOf(texts: readonly string[]): Buffer {
  return Buffer.from(`[${texts.join(",")}]\n`);
}

async function readOrEmpty(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** A name in a folder is on stable storage only when the folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
