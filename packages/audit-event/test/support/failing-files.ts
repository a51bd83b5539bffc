import type { FileHandle } from "node:fs/promises";
import { type LedgerFiles, SYSTEM_FILES } from "../../src/ledger/files.ts";

export interface FailingFiles extends LedgerFiles {
  /** Error code of every write from now on; `undefined`: the disk works. */
  write: string | undefined;
  /** Of every sync. */
  sync: string | undefined;
  /** Bytes a failing write still puts down. */
  partial: number;
  /** Only files whose path matches. */
  only: RegExp;
}

/** A disk that fails when it is told to. */
export function failingFiles(): FailingFiles {
  const failing: FailingFiles = {
    ...SYSTEM_FILES,
    write: undefined,
    sync: undefined,
    partial: 0,
    only: /jsonl$/,
    async open(path, flags, mode) {
      const handle = await SYSTEM_FILES.open(path, flags, mode);
      return failing.only.test(path) ? guard(handle, failing) : handle;
    },
  };
  return failing;
}

function guard(handle: FileHandle, failing: FailingFiles): FileHandle {
  const fail = (code: string): Error => Object.assign(new Error("the disk says no"), { code });
  const overrides: Record<string, unknown> = {
    async write(bytes: Buffer, offset: number, length: number) {
      if (failing.write === undefined) return handle.write(bytes, offset, length);
      if (failing.partial > 0) await handle.write(bytes, offset, Math.min(failing.partial, length));
      throw fail(failing.write);
    },
    async datasync() {
      if (failing.sync !== undefined) throw fail(failing.sync);
      await handle.datasync();
    },
  };
  return new Proxy(handle, {
    get(target, name) {
      const own = overrides[String(name)];
      const value: unknown = own ?? Reflect.get(target, name, target);
      return typeof value === "function" && own === undefined ? (value.bind(target) as unknown) : value;
    },
  });
}
