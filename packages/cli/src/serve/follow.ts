import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Editors write a file in several steps; what lies there when they are done is read once. */
const SETTLE_MS = 200;

/** The folder, because editors and configuration maps put a new file in the old one's place. */
export function follow(file: string, onChange: () => void): FSWatcher | undefined {
  let timer: NodeJS.Timeout | undefined;
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name !== null && name !== basename(file) && !name.startsWith("..")) return;
      clearTimeout(timer);
      timer = setTimeout(onChange, SETTLE_MS).unref();
    });
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    // A file system that cannot be watched leaves the signal.
    return undefined;
  }
}
