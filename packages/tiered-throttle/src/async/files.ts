import type { Readable } from "node:stream";

/** A file that is being written. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the file is whole, on stable storage, under its name. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/** Where the files of jobs are kept: a folder, or an object store that every instance reaches. */
export interface JobFiles {
  /** `name` is ours: letters, digits, `.`, `-` and one `/`. Nothing can be read under it before `finish`. */
  create(id: string, name: string): Promise<FileWriter>;
  /** Rejects before the first byte when the file is not there. */
  read(id: string, name: string): Promise<Readable>;
  /** Removes all files of a job, or all whose name does not begin with `except`. */
  remove(id: string, except?: string): Promise<void>;
  /** Jobs that have files, finished or not. */
  ids(): Promise<readonly string[]>;
  /** Bytes kept for a job. */
  bytesOf(id: string): Promise<number>;
}
