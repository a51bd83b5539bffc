import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { DependencyError } from "@wardline/policy-types";
import { createEntryWriter } from "./entry-writer.ts";
import type { RevocationList } from "./revocation.ts";
import { createRevocationState, type RevocationEntry, type RevocationState, revocationOf } from "./revocation-state.ts";

export interface FileRevocationOptions {
  /** Path of the file; made at the first revocation, readable by its owner only. Its folder must be there by then. */
  readonly file: string;
  /** Entries at once. Default 100000. */
  readonly limit?: number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** A list whose words resolve when they are on disk. */
export interface FileRevocationList extends RevocationList {
  revokeTokenId(issuer: string, tokenId: string, until: number): Promise<void>;
  revokeTokenHash(tokenHash: string, until: number): Promise<void>;
  revokeSubject(issuer: string, subject: string, since: number, until: number): Promise<void>;
  /** After the last write. Nothing can be revoked any more. */
  close(): Promise<void>;
}

/**
 * A revocation list that outlives its process: one line for each word, hashes in place of names. What counts no more is left
 * out when the file is opened again. Rejects when a line in the middle cannot be read: nobody could say whose token it was.
 *
 * Does NOT reach other instances, nor notice when another process writes the file.
 */
export async function openFileRevocationList({ file, limit, now }: FileRevocationOptions): Promise<FileRevocationList> {
  const state = createRevocationState(limit, now);
  if (await load(file, state)) await rewrite(file, state);
  let handle: FileHandle | undefined;
  const writer = createEntryWriter<RevocationEntry>({
    put: (entry) => state.put(entry),
    async append(entry) {
      handle ??= await open(file, "a", 0o600);
      // If we crash here, half a line is left, which `load` drops: it was not acknowledged.
      await handle.appendFile(`${JSON.stringify(entry)}\n`);
      await handle.datasync();
    },
    async writeAnew() {
      await rewrite(file, state);
      const before = handle;
      handle = undefined;
      await before?.close();
    },
    unavailable,
  });

  return {
    revokeTokenId: (...named) => writer.write(revocationOf.tokenId(...named)),
    revokeTokenHash: (...named) => writer.write(revocationOf.tokenHash(...named)),
    revokeSubject: (...named) => writer.write(revocationOf.subject(...named)),
    isRevoked: async (token) => state.covers(token),
    async close() {
      await writer.close();
      await handle?.close();
    },
  };
}

/** Whether there is a file. */
async function load(file: string, state: RevocationState): Promise<boolean> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(file, error);
  });
  if (text === undefined) return false;
  const lines = text.split("\n");
  // A line without its end was never acknowledged.
  lines.pop();
  for (const line of lines) state.put(readEntry(line));
  return true;
}

function readEntry(line: string): RevocationEntry {
  try {
    const { key, since, until } = JSON.parse(line) as Partial<RevocationEntry>;
    const isEntry =
      typeof key === "string" && typeof until === "number" && (since === undefined || typeof since === "number");
    if (isEntry) return { key, until, ...(since === undefined ? {} : { since }) };
  } catch {
    // Told below: what cannot be read cannot be kept.
  }
  throw new DependencyError(
    "smart-auth/revocation-file-damaged",
    "a line of the file of revoked tokens cannot be read",
    {
      retryable: false,
    },
  );
}

/** If we crash before the rename, the old file stands as it was. */
async function rewrite(file: string, state: RevocationState): Promise<void> {
  const fresh = `${file}.new`;
  await rm(fresh, { force: true });
  const handle = await open(fresh, "wx", 0o600);
  try {
    await handle.writeFile(
      state
        .entries()
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(""),
    );
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
}

function unreadable(file: string, cause: unknown): DependencyError {
  const { code = "unknown" } = cause as NodeJS.ErrnoException;
  const said = `the file of revoked tokens, ${file}, cannot be read (${code}); name a folder that this process may read and write`;
  return new DependencyError("smart-auth/revocation-unavailable", said, { cause, retryable: true });
}

function unavailable(cause?: unknown): DependencyError {
  return new DependencyError("smart-auth/revocation-unavailable", "the file of revoked tokens cannot be written", {
    cause,
    retryable: false,
  });
}
