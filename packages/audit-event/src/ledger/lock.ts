import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ledgerLocked, systemCode } from "./faults.ts";

export const LOCK_FILE = "ledger.lock";

export interface FolderLock {
  /** Throws when the lock is no longer ours: two starts that met over a dead holder. */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same pid, as pid 1 of a restarted container is. */
  readonly started?: string;
  readonly nonce: string;
}

/**
 * Makes this process the only writer of a folder. The lock of a process that has died is taken over; one of another
 * host is not, because nobody here can tell whether that process lives.
 *
 * @throws {DependencyError} when someone else holds it
 */
export async function takeLock(folder: string): Promise<FolderLock> {
  const lock = join(folder, LOCK_FILE);
  const nonce = randomUUID();
  const own = join(folder, `${LOCK_FILE}.${nonce}`);
  const holder: Holder = { pid: process.pid, host: hostname(), nonce, ...started(await startOf(process.pid)) };

  // Written aside and linked into place: the lock appears whole or not at all, and only if there is none.
  await writeFile(own, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
  try {
    if (!(await linked(own, lock))) {
      await clearStale(lock, nonce);
      if (!(await linked(own, lock))) throw ledgerLocked(LOCK_FILE, "another process");
    }
  } finally {
    await rm(own, { force: true });
  }
  const isOurs = async (): Promise<boolean> => {
    const now = await readHolder(lock);
    return now !== undefined && now !== "unreadable" && now.nonce === nonce;
  };
  return {
    async confirm() {
      if (!(await isOurs())) throw ledgerLocked(LOCK_FILE, "another process");
    },
    async release() {
      if (await isOurs()) await rm(lock, { force: true });
    },
  };
}

async function clearStale(lock: string, nonce: string): Promise<void> {
  const holder = await readHolder(lock);
  if (holder === undefined) return;
  if (holder === "unreadable") throw ledgerLocked(LOCK_FILE, "an unknown process: remove the file if none is");
  if (holder.host !== hostname()) {
    throw ledgerLocked(LOCK_FILE, `process ${holder.pid} of another host: remove the file if it is dead`);
  }
  if (await isAlive(holder)) throw ledgerLocked(LOCK_FILE, `process ${holder.pid}`);

  // Two processes may find the same dead holder: whoever moves the file away has it, and looks what it moved.
  const moved = `${lock}.stale-${nonce}`;
  try {
    await rename(lock, moved);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  const taken = await readHolder(moved);
  if (taken !== undefined && taken !== "unreadable" && taken.nonce !== holder.nonce) {
    await linked(moved, lock);
    await rm(moved, { force: true });
    throw ledgerLocked(LOCK_FILE, `process ${taken.pid}`);
  }
  await rm(moved, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | "unreadable" | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    const { pid, host, nonce, started: start } = holder ?? {};
    if (!Number.isSafeInteger(pid) || typeof host !== "string" || typeof nonce !== "string") return "unreadable";
    return { pid: pid as number, host, nonce, ...started(typeof start === "string" ? start : undefined) };
  } catch {
    return "unreadable";
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives and is someone else's.
    if (systemCode(error) === "ESRCH") return false;
  }
  const start = await startOf(holder.pid);
  return start === undefined || holder.started === undefined || start === holder.started;
}

/** Boot and tick at which a process began, where the system tells (Linux). @see proc_pid_stat(5), field 22 */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
    ]);
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? undefined : `${boot.trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

function started(value: string | undefined): { readonly started?: string } {
  return value === undefined ? {} : { started: value };
}
