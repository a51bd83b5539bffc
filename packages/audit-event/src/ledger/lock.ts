import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { DependencyError } from "@wardline/policy-types";
import { ledgerLocked, systemCode } from "./faults.ts";

const LOCK_FILE = "ledger.lock";

export interface FolderLock {
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
  const own = `${lock}.${nonce}`;
  const holder: Holder = { pid: process.pid, host: hostname(), nonce, ...started(await startOf(process.pid)) };

  // Written aside and linked into place: the lock appears whole or not at all, and only if there is none.
  await writeFile(own, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
  try {
    if (!(await linked(own, lock))) await succeed(lock, own);
  } finally {
    await rm(own, { force: true });
  }
  return {
    async release() {
      if ((await readHolder(lock))?.nonce === nonce) await rm(lock, { force: true });
    },
  };
}

/**
 * Takes over from a dead holder. The heir of a lock is whoever links `<lock>.<nonce of the dead>.next`, which only one
 * can; an heir that dies in between has an heir of its own. The lock is then replaced in one step, before the links to
 * it are removed: who finds such a link missing because of that finds another lock, and gives way.
 */
async function succeed(lock: string, own: string): Promise<void> {
  const root = await readHolder(lock);
  if (root === undefined) throw ledgerLocked(LOCK_FILE, "a process that is just closing it");
  const links: string[] = [];
  let holder = root;
  for (let heir: Holder | undefined = root; heir !== undefined; heir = await readHolder(nextOf(lock, holder))) {
    holder = heir;
    if (links.includes(nextOf(lock, holder))) throw unknownHolder();
    links.push(nextOf(lock, holder));
  }
  if (holder.host !== hostname()) {
    throw ledgerLocked(LOCK_FILE, `process ${holder.pid} of another host: remove the file if it is dead`);
  }
  if (await isAlive(holder)) throw ledgerLocked(LOCK_FILE, `process ${holder.pid}`);

  const next = nextOf(lock, holder);
  if (!(await linked(own, next))) throw ledgerLocked(LOCK_FILE, "another process that is just starting");
  if ((await readHolder(lock))?.nonce !== root.nonce) {
    await rm(next, { force: true });
    throw ledgerLocked(LOCK_FILE, "another process that is just starting");
  }
  await rename(own, lock);
  for (const link of links) await rm(link, { force: true });
}

function nextOf(lock: string, { nonce }: Holder): string {
  return `${lock}.${nonce}.next`;
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

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  const holder = parseHolder(text);
  if (holder === undefined) throw unknownHolder();
  return holder;
}

function unknownHolder(): DependencyError {
  return ledgerLocked(LOCK_FILE, "an unknown process: remove the file if there is none");
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, nonce, started: start } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || typeof host !== "string") return undefined;
    if (typeof nonce !== "string" || !UUID.test(nonce)) return undefined;
    return { pid: pid as number, host, nonce, ...started(typeof start === "string" ? start : undefined) };
  } catch {
    return undefined;
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

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
