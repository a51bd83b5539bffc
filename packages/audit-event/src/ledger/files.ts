import { type FileHandle, open, rename, unlink } from "node:fs/promises";

/** What the ledger asks of the file system. Passed in, so that a test can be a disk that fails. */
export interface LedgerFiles {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

export const SYSTEM_FILES: LedgerFiles = Object.freeze({
  open: (path: string, flags: string, mode?: number) => open(path, flags, mode),
  rename: (from: string, to: string) => rename(from, to),
  unlink: (path: string) => unlink(path),
});

/** Makes the creation or removal of a file in the folder durable. */
export async function syncFolder(files: LedgerFiles, folder: string): Promise<void> {
  const handle = await files.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a file that must not exist, open for appending. Readable by its owner only: it holds who saw whom. */
export async function createFile(files: LedgerFiles, folder: string, file: string): Promise<FileHandle> {
  const handle = await files.open(`${folder}/${file}`, "ax", OWNER_ONLY);
  try {
    await syncFolder(files, folder);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}

/** Puts a file in the place of another in one step: after a crash the one or the other is there, whole. */
export async function replaceFile(files: LedgerFiles, folder: string, file: string, text: string): Promise<void> {
  const fresh = `${folder}/${file}.new`;
  const handle = await files.open(fresh, "w", OWNER_ONLY);
  try {
    await writeWhole(handle, Buffer.from(text));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await files.rename(fresh, `${folder}/${file}`);
  await syncFolder(files, folder);
}

/** The system may take a part: at a limit, it takes what fits and reports the error on the next call. */
export async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}

const OWNER_ONLY = 0o600;
