import { readlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Part } from "./child.ts";

const CALLS = ["write", "datasync", "sync", "truncate"] as const;

/**
 * A disk that can fail and hang below one folder: a layer under every open file of this process, so that what stands above it
 * (the ledger's writing, its repair) is the very code that runs elsewhere.
 */
export async function faultyDisk(folder: string): Promise<Part & { stop(): void }> {
  let state: "well" | "failing" | "hung" = "well";
  let waiting: (() => void)[] = [];
  const probe = await open(join(tmpdir(), `wardline-disk-${process.pid}`), "w");
  const prototype = Object.getPrototypeOf(probe) as Record<string, (...args: unknown[]) => Promise<unknown>>;
  await probe.close();
  const originals = CALLS.map((name) => [name, prototype[name]] as const);
  for (const [name, original] of originals) {
    if (original === undefined) throw new Error("this version of Node has no such call");
    prototype[name] = async function throughDisk(this: FileHandle, ...args: unknown[]) {
      if (state !== "well" && isBelow(this)) {
        if (state === "hung") await new Promise<void>((resolve) => waiting.push(resolve));
        else throw Object.assign(new Error("the disk fails"), { code: "EIO" });
      }
      return original.apply(this, args);
    };
  }

  /** Where the file of a handle lies can be asked on Linux only; elsewhere every file is meant. */
  function isBelow({ fd }: FileHandle): boolean {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return process.platform !== "linux";
    }
  }

  const restore = async (): Promise<void> => {
    state = "well";
    for (const goOn of waiting) goOn();
    waiting = [];
  };
  return {
    kill: () => {
      state = "failing";
    },
    freeze: () => {
      state = "hung";
    },
    restore,
    stop() {
      void restore();
      for (const [name, original] of originals) if (original !== undefined) prototype[name] = original;
    },
  };
}
