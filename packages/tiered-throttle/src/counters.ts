/** One window as the counters see it. */
export interface WindowSize {
  readonly limit: number;
  readonly windowMs: number;
}

/** Where one window stands for one key, after the request was judged. */
export interface WindowCount {
  /** Requests left. */
  readonly remaining: number;
  /** Milliseconds since the epoch at which the whole quota is there again. */
  readonly resetAt: number;
}

/** `admitted` false: nothing was charged, in any window. */
export interface Taken {
  readonly admitted: boolean;
  /** In the order of the windows. */
  readonly counts: readonly WindowCount[];
}

interface Entry {
  used: number;
  readonly resetAt: number;
}

/** Expired entries looked at per new one: more than one, so that memory shrinks again after a flood. */
const SWEEP = 8;

/**
 * One fixed window per key, from the key's first request. Holds at most `maxKeys` keys. A live counter is never dropped,
 * because dropping it would give its owner a fresh quota: when all are live, further keys share one counter, which has the
 * quota of one, until that counter's window has passed.
 */
class WindowCounter {
  readonly #size: WindowSize;
  readonly #maxKeys: number;
  /** In the order of expiry: all windows are equally long, and a new entry goes to the end. */
  readonly #entries = new Map<string, Entry>();
  #shared: Entry | undefined;

  constructor(size: WindowSize, maxKeys: number) {
    this.#size = size;
    this.#maxKeys = maxKeys;
  }

  /** The entry this key is charged to, if it is live. */
  find(key: string, now: number): Entry | undefined {
    const own = this.#entries.get(key);
    if (own !== undefined && own.resetAt > now) return own;
    return this.#shared !== undefined && this.#shared.resetAt > now ? this.#shared : undefined;
  }

  charge(key: string, now: number): void {
    const live = this.find(key, now);
    if (live !== undefined) {
      live.used += 1;
      return;
    }
    this.#shared = undefined;
    this.#entries.delete(key);
    this.#sweep(now);
    const entry = { used: 1, resetAt: now + this.#size.windowMs };
    if (this.#entries.size < this.#maxKeys) this.#entries.set(key, entry);
    else this.#shared = entry;
  }

  isFull(key: string, now: number): boolean {
    return (this.find(key, now)?.used ?? 0) >= this.#size.limit;
  }

  count(key: string, now: number): WindowCount {
    const entry = this.find(key, now);
    return {
      remaining: Math.max(0, this.#size.limit - (entry?.used ?? 0)),
      resetAt: entry?.resetAt ?? now + this.#size.windowMs,
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  #sweep(now: number): void {
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.resetAt > now || looked++ === SWEEP) return;
      this.#entries.delete(key);
    }
  }
}

/** Counters of this process. `take` is one synchronous step: no other request comes between judging and charging (F14). */
export class LocalCounters {
  readonly #counters: readonly WindowCounter[];

  constructor(sizes: readonly WindowSize[], maxKeys: number) {
    this.#counters = sizes.map((size) => new WindowCounter(size, maxKeys));
  }

  /** Charges every window, or none when one of them is full. `keys` in the order of the windows. */
  take(keys: readonly string[], now: number): Taken {
    const full = this.#counters.some((counter, index) => counter.isFull(keys[index] as string, now));
    if (!full) for (const [index, counter] of this.#counters.entries()) counter.charge(keys[index] as string, now);
    return {
      admitted: !full,
      counts: this.#counters.map((counter, index) => counter.count(keys[index] as string, now)),
    };
  }

  /** Keys remembered, over all windows. */
  get size(): number {
    return this.#counters.reduce((sum, counter) => sum + counter.size, 0);
  }
}
