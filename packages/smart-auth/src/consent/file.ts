import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { DependencyError } from "@wardline/policy-types";
import { createEntryWriter } from "../entry-writer.ts";
import { writesOf } from "./memory.ts";
import type { ConsentRegistry } from "./registry.ts";
import { type ConsentEntry, type ConsentState, createConsentState, readEntry } from "./state.ts";

export interface FileConsentOptions {
  /** Path of the file; made when there is none, readable by its owner only. */
  readonly file: string;
  /** Entries at once. Default 100000. */
  readonly limit?: number;
}

export interface FileConsentRegistry extends ConsentRegistry {
  /** After the last write. Nothing can be asked or written any more. */
  close(): Promise<void>;
}

/**
 * A consent registry that outlives its process: one line for each change, on disk before its promise resolves. What counts
 * no more is left out when the file is opened again. Rejects when a line in the middle of the file cannot be read: nobody
 * could say what it withheld. While the disk refuses what was said, nothing can be asked; that ends when the disk takes it.
 *
 * Does NOT reach other instances, nor notice when another process writes the file.
 */
export async function openFileConsentRegistry({ file, limit }: FileConsentOptions): Promise<FileConsentRegistry> {
  const state = createConsentState(limit);
  await load(file, state);
  let handle = await rewrite(file, state);
  const writer = createEntryWriter<ConsentEntry>({
    put: (entry) => state.put(entry),
    async append(entry) {
      // If we crash here, half a line is left, which `load` drops: it was not acknowledged.
      await handle.appendFile(`${JSON.stringify(entry)}\n`);
      await handle.datasync();
    },
    async writeAnew() {
      const before = handle;
      handle = await rewrite(file, state);
      await before.close();
    },
    unavailable,
  });

  return {
    ...writesOf((entry) => writer.write(entry)),
    async view(caller) {
      if (!writer.isWell) throw unavailable();
      return state.view(caller, () => writer.isWell);
    },
    async close() {
      await writer.close();
      await handle.close();
    },
  };
}

async function load(file: string, state: ConsentState): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n");
  // A line without its end was never acknowledged.
  lines.pop();
  for (const line of lines) {
    const entry = readEntry(line);
    if (entry === undefined) {
      throw new DependencyError("smart-auth/consent-file-damaged", "a line of the consent file cannot be read", {
        retryable: false,
      });
    }
    state.put(entry);
  }
}

/** If we crash before the rename, the old file stands as it was. */
async function rewrite(file: string, state: ConsentState): Promise<FileHandle> {
  const fresh = `${file}.new`;
  const handle = await open(fresh, "w", 0o600);
  try {
    for (const entry of state.entries()) await handle.appendFile(`${JSON.stringify(entry)}\n`);
    await handle.sync();
    await rename(fresh, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}

/** So that the new name lasts, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unavailable(cause?: unknown): DependencyError {
  return new DependencyError("smart-auth/consent-unavailable", "the consent file cannot be written", {
    cause,
    retryable: false,
  });
}
