import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DependencyError, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { syncFolder } from "../async/journal.ts";
import { checkFunctions } from "../checks.ts";
import type { QuotaCount, QuotaMemory } from "./memory.ts";

export interface QuotaFileOptions {
  /** Its path. One process each: two would write over what the other counted. */
  readonly file: string;
  /** Milliseconds between two writings, 10 to 60000: what a `kill -9` may forget. Default 1000. */
  readonly everyMs?: number;
  /** Told when the file cannot be written, or a write has not ended for two seconds, and with `undefined` when it can be again; once per change. */
  readonly onState?: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface QuotaFile extends QuotaMemory {
  /** Writes what was counted, if that has changed. Rejects when the file cannot be written. */
  flush(): Promise<void>;
  /** Writes once more, if it can, and no more. */
  close(): Promise<void>;
}

/** A writing may take this share of the time: one in twenty. */
const IDLE_TIMES = 20;
/** F12: a disk that hangs refuses nothing, and says nothing. In milliseconds. */
const STUCK_MS = 2000;
const FORM = "wardline quotas 1";

/**
 * Remembers in a file what was used of quotas, so that a restart gives nobody a fresh month. It is written beside the
 * requests, whole, under another name, synced and renamed: what can be read is whole. It names nobody: owners are hashes.
 *
 * Does NOT remember windows, which are over before long. Does NOT remember what was counted in the last `everyMs` before a
 * `kill -9`.
 *
 * @throws {ConfigurationError} for a mistake in the options
 * @throws {DependencyError} `tiered-throttle/quotas-unreadable`: the file is there and cannot be understood
 */
export async function openQuotaFile(options: QuotaFileOptions): Promise<QuotaFile> {
  const { file, everyMs, onState, now } = parse(options);
  const quotas = await read(file, now());
  let dirty = false;
  let closed = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function writeLater(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      const began = performance.now();
      flush().then(
        () => dirty && writeLater(Math.max(everyMs, (performance.now() - began) * IDLE_TIMES)),
        () => writeLater(everyMs),
      );
    }, ms).unref();
  }

  function flush(): Promise<void> {
    const written = writing.then(async () => {
      if (!dirty) return;
      dirty = false;
      const late = setTimeout(() => tell(new Error("the disk hangs")), STUCK_MS).unref();
      try {
        await write(file, quotas);
        tell(undefined);
      } catch (error) {
        dirty = true;
        tell(error);
        throw error;
      } finally {
        clearTimeout(late);
      }
    });
    writing = written.catch(() => undefined);
    return written;
  }

  function tell(error: unknown): void {
    const fails = error !== undefined;
    if (fails === failing) return;
    failing = fails;
    onState(error);
  }

  return {
    countsOf(tier, quota, by) {
      const name = JSON.stringify([tier, quota, by]);
      const counts = quotas.get(name) ?? new Map<string, QuotaCount>();
      quotas.set(name, counts);
      return counts;
    },
    changed() {
      dirty = true;
      if (timer === undefined && !closed) writeLater(everyMs);
    },
    flush,
    async close() {
      closed = true;
      clearTimeout(timer);
      await flush().catch(() => undefined);
    },
  };
}

type Row = readonly [owner: string, used: number, carried: number, resetAt: number, lengthMs: number, forgetAt: number];
type Quotas = Map<string, Map<string, QuotaCount>>;

async function read(file: string, now: number): Promise<Quotas> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw unreadable(cause);
  }
  try {
    const { form, quotas } = JSON.parse(text) as { form: unknown; quotas: Record<string, Row[]> };
    if (form !== FORM) throw new TypeError("another form");
    return new Map(Object.entries(quotas).map(([name, rows]) => [name, countsOf(rows, now)]));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function countsOf(rows: readonly Row[], now: number): Map<string, QuotaCount> {
  const counts = new Map<string, QuotaCount>();
  for (const [owner, used, carried, resetAt, lengthMs, forgetAt] of rows) {
    const numbers = [used, carried, resetAt, lengthMs, forgetAt];
    if (typeof owner !== "string" || !numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) {
      throw new TypeError("not a count");
    }
    if (forgetAt > now) counts.set(owner, { used, carried, resetAt, lengthMs, forgetAt });
  }
  return counts;
}

/** If we crash before the new name, the file is as it was before; after it, it is whole. */
async function write(file: string, quotas: Quotas): Promise<void> {
  const rows = Object.fromEntries(
    [...quotas].map(([name, counts]) => [
      name,
      [...counts].map(([owner, { used, carried, resetAt, lengthMs, forgetAt }]): Row => {
        return [owner, used, carried, resetAt, lengthMs, forgetAt];
      }),
    ]),
  );
  const part = `${file}.part`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(part, { force: true });
  const handle = await open(part, "wx", 0o600);
  try {
    await handle.writeFile(JSON.stringify({ form: FORM, quotas: rows }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  await syncFolder(dirname(file));
}

function parse(options: QuotaFileOptions): Required<QuotaFileOptions> {
  const found = findings();
  refuseUnknownKeys(found, options, ["file", "everyMs", "onState", "now"]);
  const { file, everyMs = 1000, onState = () => undefined, now = Date.now } = options;
  if (typeof file !== "string" || file === "") found.add("file", "not-a-path", "write the path of a file");
  if (!Number.isInteger(everyMs) || everyMs < 10 || everyMs > 60_000)
    found.add("everyMs", "out-of-range", "use a whole number from 10 to 60000");
  checkFunctions(found, options, ["onState", "now"]);
  found.throwIfAny("openQuotaFile options");
  return { file, everyMs, onState, now };
}

function unreadable(cause: unknown): DependencyError {
  return new DependencyError("tiered-throttle/quotas-unreadable", "what was used of quotas cannot be read", {
    retryable: false,
    cause,
  });
}
