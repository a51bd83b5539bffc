import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileWriter, JobFiles } from "./files.ts";
import { syncFolder } from "./journal.ts";

const ID = /^[A-Za-z0-9_-]{32}$/;
const NAME = /^[a-z0-9]{1,64}\/[A-Za-z0-9.-]{1,80}$/;

/**
 * Keeps files under `folder/<job>/<attempt>/`. A file is written under another name, synced and renamed: what can be read is whole.
 *
 * Does NOT encrypt: the folder holds patient records, so it belongs on an encrypted disk.
 */
export function createFolderFiles(folder: string): JobFiles {
  function placeOf(id: string, name?: string): string {
    if (!ID.test(id) || (name !== undefined && !NAME.test(name))) throw new TypeError("not the name of a job's file");
    return name === undefined ? join(folder, id) : join(folder, id, name);
  }

  return {
    async create(id, name) {
      const path = placeOf(id, name);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return writer(path, await open(`${path}.part`, "wx", 0o600));
    },
    async read(id, name) {
      const handle = await open(placeOf(id, name), "r");
      return handle.createReadStream();
    },
    async remove(id, except) {
      const place = placeOf(id);
      if (except === undefined) return rm(place, { recursive: true, force: true });
      for (const attempt of await readdir(place).catch(() => [])) {
        if (`${attempt}/` !== except) await rm(join(place, attempt), { recursive: true, force: true });
      }
    },
    async ids() {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => ID.test(name));
    },
    async bytesOf(id) {
      let sum = 0;
      const place = placeOf(id);
      // A file may go while its folder is read.
      for (const name of await readdir(place, { recursive: true }).catch(() => [])) {
        const found = await stat(join(place, name)).catch(() => undefined);
        if (found?.isFile() === true) sum += found.size;
      }
      return sum;
    },
  };
}

function writer(path: string, handle: FileHandle): FileWriter {
  return {
    write: (bytes) => handle.appendFile(bytes),
    async finish() {
      // If we crash here, the name is not there yet, and the next attempt has a folder of its own.
      await handle.sync();
      await handle.close();
      await rename(`${path}.part`, path);
      await syncFolder(dirname(path));
      await syncFolder(dirname(dirname(path)));
    },
    async abandon() {
      await handle.close().catch(() => undefined);
      await rm(`${path}.part`, { force: true });
    },
  };
}
