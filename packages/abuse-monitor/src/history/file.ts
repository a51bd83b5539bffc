import { createHmac, type Hmac, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, statSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type History, type HistoryEntry, parseEntry, parseHead, renderEntry } from "./entry.ts";

export interface HistoryFileOptions {
  readonly file: string;
  /** Sealing key: the pseudonyms' own. */
  readonly key: Uint8Array;
  /** Callers not seen for longest are left out beyond it. */
  readonly maxBytes: number;
}

/** A head, an entry a line, and a keyed hash of all of it. */
export interface HistoryFile {
  /** At start, before anybody is answered. `put-aside`: there is something that cannot be used, under another name now. */
  read(): History | "absent" | "put-aside";
  /**
   * Beside the old file, flushed, then in its place: if we crash here, the old one is whole. In pieces, requests go between.
   *
   * @throws when the file system refuses
   */
  write(history: History): Promise<void>;
}

export function createHistoryFile({ file, key, maxBytes }: HistoryFileOptions): HistoryFile {
  const seal = (): Hmac => createHmac("sha256", key).update("wardline/abuse-monitor/history/1 ");

  return {
    read() {
      try {
        if (statSync(file).size > maxBytes) return putAside(file);
        const bytes = readFileSync(file);
        const end = bytes.lastIndexOf("\n", -2) + 1;
        const written = Buffer.from(bytes.toString("latin1", end).trimEnd(), "base64url");
        const expected = seal().update(bytes.subarray(0, end)).digest();
        if (written.length !== expected.length || !timingSafeEqual(written, expected)) return putAside(file);
        const [head = "", ...lines] = bytes.toString("utf8", 0, end).trimEnd().split("\n");
        return { head: parseHead(head), entries: lines.map(parseEntry) };
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : putAside(file);
      }
    },
    async write({ head, entries }) {
      const beside = `${file}.tmp`;
      // Pseudonyms and what was done about them are nobody else's business.
      const handle = await open(beside, "w", 0o600);
      try {
        const mac = seal();
        for (const piece of pieces(JSON.stringify(head), entries, maxBytes - SEAL_BYTES)) {
          mac.update(piece);
          await handle.write(piece);
        }
        await handle.write(`${mac.digest("base64url")}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, file);
      await syncFolder(dirname(file));
    },
  };
}

/** 43 characters of base64url and the end of the line. */
const SEAL_BYTES = 44;
/** Well under a millisecond of work. */
const PIECE = 65_536;

function* pieces(head: string, entries: Iterable<HistoryEntry>, maxBytes: number): Generator<Buffer> {
  let text = `${head}\n`;
  let left = maxBytes;
  for (const entry of entries) {
    text += `${renderEntry(entry)}\n`;
    if (text.length < PIECE) continue;
    const piece = Buffer.from(text);
    if (piece.length > left) return;
    left -= piece.length;
    yield piece;
    text = "";
  }
  const last = Buffer.from(text);
  if (last.length <= left) yield last;
}

/** Kept for whoever wants to know what happened; a further one takes its place. */
function putAside(file: string): "put-aside" {
  try {
    renameSync(file, `${file}.unreadable`);
  } catch {
    // It cannot be moved, as it cannot be read: the next write says so.
  }
  return "put-aside";
}

/** The new name outlives a crash of the machine only once the folder is flushed; where folders cannot be opened it needs not. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch {
    // The file itself is whole, under its old or its new name.
  } finally {
    await handle?.close();
  }
}
