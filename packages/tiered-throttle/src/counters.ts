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

  /** The live entry this key is charged to, or the one that would be opened. */
  find(key: string, now: number): Count {
    const own = this.#entries.get(key);
    if (own !== undefined && own.resetAt > now) return own;
    if (this.#shared !== undefined && this.#shared.resetAt > now) return this.#shared;
    return openEntry(this.#limit, now, own);
  }

  /** `entry` is what `find` gave for this key in the same step. */
  charge(key: string, entry: Count, cost: number, now: number): void {
    // Whatever was charged before cost at least 1.
    const isNew = entry.used === 0;
    entry.used += cost;
    this.#changed?.();
    if (!isNew) return;
    this.#shared = undefined;
    this.#entries.delete(key);
    this.#sweep(now);
    if (this.#entries.size < this.#maxKeys) this.#entries.set(key, entry);
    else this.#shared = { ...entry, carried: 0 };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What may be used until the entry's end. */
  limitOf({ carried }: Count): number {
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

function countOf({ used, resetAt, lengthMs }: Count, limit: number): LimitCount {
  return { limit, remaining: Math.max(0, limit - used), resetAt, lengthMs };
}

const NONE_FULL: readonly number[] = Object.freeze([]);

/** Counters of this process. `take` is one synchronous step: no other request comes between judging and charging (F14). */
export class LocalCounters {
  readonly #limits: readonly Limit[];
  readonly #counters: readonly LimitCounter[];

  constructor(limits: readonly Limit[], maxKeys: number, remembered?: Remembered) {
    this.#limits = limits;
    this.#counters = limits.map((limit) => new LimitCounter(limit, maxKeys, remembered));
  }

  /** Charges every limit, or none when one of them has no room. `keys` in the order of the limits. */
  take(keys: readonly string[], now: number, cost = 1): Taken {
    const counters = this.#counters;
    const entries: Count[] = [];
    let full = NONE_FULL;
    for (let index = 0; index < counters.length; index++) {
      const counter = counters[index] as LimitCounter;
      const entry = counter.find(keys[index] as string, now);
      entries.push(entry);
      if (entry.used + this.#costAt(index, cost) > counter.limitOf(entry)) full = [...full, index];
    }
    const admitted = full.length === 0;
    const counts: LimitCount[] = [];
    for (let index = 0; index < counters.length; index++) {
      const counter = counters[index] as LimitCounter;
      const entry = entries[index] as Count;
      if (admitted) counter.charge(keys[index] as string, entry, this.#costAt(index, cost), now);
      counts.push(countOf(entry, counter.limitOf(entry)));
    }
    return { admitted, counts, full };
  }

  /** As `take` for a request that costs one, without charging it. */
  look(keys: readonly string[], now: number): Taken {
    const counts = this.#counters.map((counter, index) => {
      const entry = counter.find(keys[index] as string, now);
      return countOf(entry, counter.limitOf(entry));
    });
    const full = counts.flatMap(({ remaining }, index) => (remaining === 0 ? [index] : []));
    return { admitted: full.length === 0, counts, full };
  }

  #costAt(index: number, cost: number): number {
    return costFor((this.#limits[index] as Limit).limit, cost);
  }

  /** Keys remembered, over all limits. */
  get size(): number {
    return this.#counters.reduce((sum, counter) => sum + counter.size, 0);
  }
}
