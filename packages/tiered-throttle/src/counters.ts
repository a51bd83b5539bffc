import { costFor, type Limit, type LimitCount, type Taken } from "./limits.ts";

interface Entry {
  used: number;
  /** What may be used until `resetAt`. */
  readonly limit: number;
  readonly resetAt: number;
  readonly lengthMs: number;
  /** Until then this entry says what is carried into the next period. */
  readonly forgetAt: number;
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
  readonly #entries = new Map<string, Entry>();
  #shared: Entry | undefined;

  constructor(limit: Limit, maxKeys: number) {
    this.#limit = limit;
    this.#maxKeys = maxKeys;
  }

  /** The live entry this key is charged to, or the one that would be opened. */
  find(key: string, now: number): Entry {
    const own = this.#entries.get(key);
    if (own !== undefined && own.resetAt > now) return own;
    if (this.#shared !== undefined && this.#shared.resetAt > now) return this.#shared;
    return openEntry(this.#limit, now, own);
  }

  /** `entry` is what `find` gave for this key in the same step. */
  charge(key: string, entry: Entry, cost: number, now: number): void {
    const isNew = entry.used === 0 && this.#entries.get(key) !== entry && this.#shared !== entry;
    entry.used += cost;
    if (!isNew) return;
    this.#shared = undefined;
    this.#entries.delete(key);
    this.#sweep(now);
    if (this.#entries.size < this.#maxKeys) this.#entries.set(key, entry);
    else this.#shared = withoutCarry(entry, this.#limit);
  }

  get size(): number {
    return this.#entries.size;
  }

  #sweep(now: number): void {
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.forgetAt > now || looked++ === SWEEP) return;
      this.#entries.delete(key);
    }
  }
}

function openEntry(limit: Limit, now: number, previous: Entry | undefined): Entry {
  if (limit.kind === "window") {
    const resetAt = now + limit.windowMs;
    return { used: 0, limit: limit.limit, resetAt, lengthMs: limit.windowMs, forgetAt: resetAt };
  }
  const { start, end } = limit.calendar.periodAt(now);
  // A period after which nothing was used for a whole period leaves all of its successor's own limit.
  const usedBefore = previous !== undefined && previous.resetAt === start ? previous.used : 0;
  const carried = Math.min(limit.carry, Math.max(0, limit.limit - usedBefore));
  const forgetAt = limit.carry === 0 ? end : limit.calendar.periodAfter(now).end;
  return { used: 0, limit: limit.limit + carried, resetAt: end, lengthMs: end - start, forgetAt };
}

function withoutCarry(entry: Entry, { limit }: Limit): Entry {
  return { ...entry, limit };
}

function countOf({ used, limit, resetAt, lengthMs }: Entry): LimitCount {
  return { limit, remaining: Math.max(0, limit - used), resetAt, lengthMs };
}

const NONE_FULL: readonly number[] = Object.freeze([]);

/** Counters of this process. `take` is one synchronous step: no other request comes between judging and charging (F14). */
export class LocalCounters {
  readonly #limits: readonly Limit[];
  readonly #counters: readonly LimitCounter[];

  constructor(limits: readonly Limit[], maxKeys: number) {
    this.#limits = limits;
    this.#counters = limits.map((limit) => new LimitCounter(limit, maxKeys));
  }

  /** Charges every limit, or none when one of them has no room. `keys` in the order of the limits. */
  take(keys: readonly string[], now: number, cost = 1): Taken {
    const counters = this.#counters;
    const entries: Entry[] = [];
    let full = NONE_FULL;
    for (let index = 0; index < counters.length; index++) {
      const entry = (counters[index] as LimitCounter).find(keys[index] as string, now);
      entries.push(entry);
      if (entry.used + this.#costAt(index, cost) > entry.limit) full = [...full, index];
    }
    const admitted = full.length === 0;
    const counts: LimitCount[] = [];
    for (let index = 0; index < counters.length; index++) {
      const entry = entries[index] as Entry;
      if (admitted) counters[index]?.charge(keys[index] as string, entry, this.#costAt(index, cost), now);
      counts.push(countOf(entry));
    }
    return { admitted, counts, full };
  }

  /** As `take` for a request that costs one, without charging it. */
  look(keys: readonly string[], now: number): Taken {
    const entries = this.#counters.map((counter, index) => counter.find(keys[index] as string, now));
    const full = entries.flatMap(({ used, limit }, index) => (used >= limit ? [index] : []));
    return { admitted: full.length === 0, counts: entries.map(countOf), full };
  }

  #costAt(index: number, cost: number): number {
    return costFor((this.#limits[index] as Limit).limit, cost);
  }

  /** Keys remembered, over all limits. */
  get size(): number {
    return this.#counters.reduce((sum, counter) => sum + counter.size, 0);
  }
}
