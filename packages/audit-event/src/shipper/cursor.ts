import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DependencyError } from "@wardline/policy-types";

/** The last entry a sink has. */
export interface Cursor {
  readonly seq: number;
  readonly hash: string;
}

export interface CursorFile {
  /** Absent: nothing was delivered yet. */
  read(): Promise<Cursor | undefined>;
  /** Replaces the file in one step. If we crash before it, the entries are delivered once more. */
  write(cursor: Cursor): Promise<void>;
  /** Notes, durably, an entry the receiver will never take. The entry itself stays in the ledger. */
  noteRejected(entry: Cursor & { readonly id: string; readonly code: string }): Promise<void>;
}

export function cursorFile(folder: string, sink: string): CursorFile {
  const path = join(folder, `${sink}.cursor.json`);
  return {
    async read() {
      const text = await readFile(path, "utf8").catch((error: unknown) => {
        if ((error as { code?: unknown }).code === "ENOENT") return undefined;
        throw error;
      });
      return text === undefined ? undefined : parseCursor(text);
    },
    async write({ seq, hash }) {
      const next = `${path}.next`;
      await writeDurably(next, "w", `${JSON.stringify({ v: 1, seq, hash })}\n`);
      await rename(next, path);
      await syncFolderOf(path);
    },
    async noteRejected(entry) {
      await writeDurably(join(folder, `${sink}.rejected.jsonl`), "a", `${JSON.stringify(entry)}\n`);
    },
  };
}

async function writeDurably(path: string, flags: "w" | "a", text: string): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolderOf(path: string): Promise<void> {
  const handle = await open(dirname(path), "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A cursor nobody can read is not taken for the beginning: somebody has to look. */
function parseCursor(text: string): Cursor {
  let found: Partial<Cursor> & { readonly v?: unknown } = {};
  try {
    found = (JSON.parse(text) ?? {}) as typeof found;
  } catch {
    // Told below.
  }
  const { v, seq, hash } = found;
  if (v === 1 && Number.isSafeInteger(seq) && typeof hash === "string") return { seq: Number(seq), hash };
  throw new DependencyError("audit-event/cursor-broken", "the cursor file is not one", { retryable: false });
}
