import { costFor, type Limit, type LimitCount, type Taken } from "./limits.ts";
import type { QuotaCount, QuotaMemory } from "./quota/index.ts";

/** A window's has carried nothing. */
type Count = QuotaCount;

/** Where a tier's quotas are remembered. */
export interface Remembered {
  readonly memory: QuotaMemory;
  readonly tier: string;
}

/** Forgotten entries looked at per new one: more than one, so that memory shrinks again after a flood. */
const SWEEP = 8;

/**
 * One limit for every owner. Holds at most `maxKeys` keys. A live counter is never dropped, because dropping it would give
 * its owner a fresh quota: when all are live, further keys share one counter, which has the quota of one and carries nothing.
 */
class LimitCounter {
  readonly #limit: Limit;
  readonly #maxKeys: number;
  /** In the order of expiry: of one limit all windows are equally long, all periods end together, and a new entry goes to the end. */
  readonly #entries: Map<string, Count>;
  readonly #changed: (() => void) | undefined;
  #shared: Count | undefined;

  constructor(limit: Limit, maxKeys: number, remembered?: Remembered) {
    this.#limit = limit;
    this.#maxKeys = maxKeys;
    this.#entries =
      (limit.kind === "quota" ? remembered?.memory.countsOf(remembered.tier, limit.name, limit.by) : undefined) ??
      new Map<string, Count>();
    this.#changed = limit.kind === "quota" ? remembered?.memory.changed : undefined;
  }

  /** Where a key stands, without charging it. */
  look(key: string, now: number): LimitCount {
    return this.#countOf(this.#find(key, now));
  }

  hasRoom(key: string, now: number, cost: number): boolean {
    const entry = this.#find(key, now);
    return entry.used + costFor(this.#limit.limit, cost) <= this.#limitOf(entry);
  }

  /** Requires that there is room. */
  charge(key: string, now: number, cost: number): LimitCount {
    const entry = this.#find(key, now);
    // Whatever was charged before cost at least 1.
    const isNew = entry.used === 0;
    entry.used += costFor(this.#limit.limit, cost);
    this.#changed?.();
    if (isNew) this.#keep(key, entry, now);
    return this.#countOf(entry);
  }

  /** The live entry this key is charged to, or the one that would be opened. */
  #find(key: string, now: number): Count {
    const own = this.#entries.get(key);
    if (own !== undefined && own.resetAt > now) return own;
    if (this.#shared !== undefined && this.#shared.resetAt > now) return this.#shared;
    return openEntry(this.#limit, now, own);
  }

  #keep(key: string, entry: Count, now: number): void {
    this.#shared = undefined;
    this.#entries.delete(key);
    this.#sweep(now);
    if (this.#entries.size < this.#maxKeys) this.#entries.set(key, entry);
    else this.#shared = { ...entry, carried: 0 };
  }

  get size(): number {
    return this.#entries.size;
  }

  #countOf(entry: Count): LimitCount {
    const { used, resetAt, lengthMs } = entry;
    const limit = this.#limitOf(entry);
    return { limit, remaining: Math.max(0, limit - used), resetAt, lengthMs };
  }

  /** What may be used until the entry's end. */
  #limitOf({ carried }: Count): number {
    return this.#limit.limit + carried;
  }

  #sweep(now: number): void {
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.forgetAt > now || looked++ === SWEEP) return;
      this.#entries.delete(key);
    }
  }
}

function openEntry(limit: Limit, now: number, previous: Count | undefined): Count {
  if (limit.kind === "window") {
    const resetAt = now + limit.windowMs;
    return { used: 0, carried: 0, resetAt, lengthMs: limit.windowMs, forgetAt: resetAt };
  }
  const { start, end } = limit.calendar.periodAt(now);
  // A period after which nothing was used for a whole period leaves all of its successor's own limit.
  const usedBefore = previous !== undefined && previous.resetAt === start ? previous.used : 0;
  const carried = Math.min(limit.carry, Math.max(0, limit.limit - usedBefore));
  const forgetAt = limit.carry === 0 ? end : limit.calendar.periodAfter(now).end;
  return { used: 0, carried, resetAt: end, lengthMs: end - start, forgetAt };
}

const NONE_FULL: readonly number[] = Object.freeze([]);

/** Counters of this process. `take` is one synchronous step: no other request comes between judging and charging (F14). */
export class LocalCounters {
  readonly #counters: readonly LimitCounter[];

  constructor(limits: readonly Limit[], maxKeys: number, remembered?: Remembered) {
    this.#counters = limits.map((limit) => new LimitCounter(limit, maxKeys, remembered));
  }

  /** Charges every limit, or none when one of them has no room. `keys` in the order of the limits. */
  take(keys: readonly string[], now: number, cost = 1): Taken {
    const full = this.#withoutRoom(keys, now, cost);
    if (full.length > 0) return this.#looked(keys, now, full);
    const counts = this.#counters.map((counter, index) => counter.charge(keys[index] as string, now, cost));
    return { admitted: true, counts, full };
  }

  /** As `take` for a request that costs one, without charging it. */
  look(keys: readonly string[], now: number): Taken {
    return this.#looked(keys, now, this.#withoutRoom(keys, now, 1));
  }

  #looked(keys: readonly string[], now: number, full: readonly number[]): Taken {
    const counts = this.#counters.map((counter, index) => counter.look(keys[index] as string, now));
    return { admitted: full.length === 0, counts, full };
  }

  #withoutRoom(keys: readonly string[], now: number, cost: number): readonly number[] {
    let full = NONE_FULL;
    for (let index = 0; index < this.#counters.length; index++) {
      const counter = this.#counters[index] as LimitCounter;
      if (!counter.hasRoom(keys[index] as string, now, cost)) full = [...full, index];
    }
    return full;
  }

  /** Keys remembered, over all limits. */
  get size(): number {
    return this.#counters.reduce((sum, counter) => sum + counter.size, 0);
  }
}
