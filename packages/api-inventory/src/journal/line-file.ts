import { type FileHandle, open } from "node:fs/promises";
import type { ParsedJournalOptions } from "./options.ts";

/** Appends lines to a file, one write at a time, and keeps a bounded number while the disk does not take them. */
export interface LineFile {
  /** The line waits for the next `flush`, or for half of the room to be taken: a disk that is well loses none. */
  put(line: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
  status(): { readonly state: "writing" | "degraded"; readonly pending: number; readonly lost: number };
}

/** F12: a write that takes longer, in milliseconds, is told: a disk that hangs refuses nothing, and says nothing. */
const STUCK_MS = 2000;

export function createLineFile(options: Pick<ParsedJournalOptions, "file" | "maxPending" | "onDegraded">): LineFile {
  const { file, maxPending, onDegraded } = options;
  let pending: string[] = [];
  let handle: FileHandle | undefined;
  let running: Promise<void> | undefined;
  let lost = 0;
  let degraded = false;

  /** Also opens the file when there is nothing to write, so that it is there to be read. */
  async function writePending(): Promise<void> {
    do {
      const batch = pending;
      pending = [];
      let before: number | undefined;
      const late = setTimeout(() => tell("degraded", "stuck"), STUCK_MS).unref();
      try {
        handle ??= await openForAppend(file);
        const { size } = await handle.stat();
        before = size;
        if (batch.length > 0) {
          await handle.appendFile(`${batch.join("\n")}\n`);
          await handle.datasync();
        }
        tell("recovered", "");
      } catch (error) {
        // F2: what may have been written is not written again, or it would be counted twice.
        if (before === undefined || (await takeBack(handle, before))) pending = [...batch, ...pending];
        else lost += batch.length;
        await handle?.close().catch(() => undefined);
        handle = undefined;
        trim();
        tell("degraded", codeOf(error));
        return;
      } finally {
        clearTimeout(late);
      }
    } while (pending.length > 0);
  }

  function tell(kind: "degraded" | "recovered", code: string): void {
    if (degraded === (kind === "degraded")) return;
    degraded = kind === "degraded";
    onDegraded({ kind, code, lost });
  }

  function trim(): void {
    const over = pending.length - maxPending;
    if (over <= 0) return;
    pending.splice(0, over);
    lost += over;
  }

  async function flush(): Promise<void> {
    if (running !== undefined) await running;
    running ??= writePending().finally(() => {
      running = undefined;
    });
    await running;
  }

  return {
    put(line) {
      pending.push(line);
      trim();
      // A disk that has refused is asked again when it is time to, and not for every line.
      if (running === undefined && !degraded && pending.length >= maxPending / 2) void flush();
    },
    flush,
    async close() {
      await flush();
      await handle?.close();
      handle = undefined;
    },
    status: () => ({ state: degraded ? "degraded" : "writing", pending: pending.length, lost }),
  };
}

/** A crash may have left a line without its end: what comes next begins on a new one. */
async function openForAppend(file: string): Promise<FileHandle> {
  const handle = await open(file, "a+", 0o600);
  try {
    const { size } = await handle.stat();
    if (size > 0) {
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
      if (buffer[0] !== NEWLINE) await handle.appendFile("\n");
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Nobody else writes to this file, so it can be cut where the failed write began. */
async function takeBack(handle: FileHandle | undefined, size: number): Promise<boolean> {
  try {
    await handle?.truncate(size);
    return handle !== undefined;
  } catch {
    return false;
  }
}

const NEWLINE = 10;

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "unknown";
}
