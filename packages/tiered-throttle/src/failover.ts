import type { LocalCounters } from "./counters.ts";
import type { Taken } from "./limits.ts";

/** Counters outside the process. Rejects when they cannot answer in time. */
export interface SharedCounters {
  take(owners: readonly string[], now: number, cost: number): Promise<Taken>;
}

export interface FailoverPolicy {
  /** What stands in while the store is down. */
  readonly instead: LocalCounters | "closed" | "open";
  readonly breaker: StoreBreaker;
}

/** `down`: the store cannot answer and nothing else counts. `uncounted`: nor need it. */
export type Counted =
  | { readonly kind: "taken"; readonly taken: Taken; readonly by: "store" | "process" | "process-share" }
  | { readonly kind: "down" }
  | { readonly kind: "uncounted" };

/**
 * F5: whether the store is worth asking. One for all tiers of a middleware: they share the store. After a failure nobody asks
 * for `retryMs`, then one request does while the others go on without, so an outage costs one deadline per interval.
 */
export class StoreBreaker {
  readonly #retryMs: number;
  readonly #now: () => number;
  readonly #onStoreState: (state: "up" | "down") => void;
  #down = false;
  #retryAt = 0;

  constructor(options: { retryMs: number; now: () => number; onStoreState: (state: "up" | "down") => void }) {
    this.#retryMs = options.retryMs;
    this.#now = options.now;
    this.#onStoreState = options.onStoreState;
  }

  get state(): "up" | "down" {
    return this.#down ? "down" : "up";
  }

  mayAsk(now: number): boolean {
    if (!this.#down) return true;
    if (now < this.#retryAt) return false;
    // This request is the probe; those that come while it waits see the next interval.
    this.#retryAt = now + this.#retryMs;
    return true;
  }

  succeeded(askedAt: number): void {
    // An answer to a question from before the failure says nothing about now.
    if (this.#down && askedAt >= this.#retryAt - this.#retryMs) this.#become(false);
  }

  failed(): void {
    this.#retryAt = this.#now() + this.#retryMs;
    this.#become(true);
  }

  /** F12: told once per change. */
  #become(down: boolean): void {
    if (this.#down === down) return;
    this.#down = down;
    try {
      this.#onStoreState(down ? "down" : "up");
    } catch {
      // A listener that fails changes nothing about who is let through.
    }
  }
}

/** The store while it answers, and what was chosen in its place while it does not. */
export class FailoverCounters {
  readonly #store: SharedCounters;
  readonly #policy: FailoverPolicy;

  constructor(store: SharedCounters, policy: FailoverPolicy) {
    this.#store = store;
    this.#policy = policy;
  }

  async take(owners: readonly string[], now: () => number, cost: number): Promise<Counted> {
    const askedAt = now();
    const { breaker } = this.#policy;
    if (!breaker.mayAsk(askedAt)) return this.#withoutStore(owners, askedAt, cost);
    try {
      const taken = await this.#store.take(owners, askedAt, cost);
      breaker.succeeded(askedAt);
      return { kind: "taken", taken, by: "store" };
    } catch {
      breaker.failed();
      return this.#withoutStore(owners, now(), cost);
    }
  }

  #withoutStore(owners: readonly string[], now: number, cost: number): Counted {
    const { instead } = this.#policy;
    if (instead === "closed") return { kind: "down" };
    if (instead === "open") return { kind: "uncounted" };
    return { kind: "taken", taken: instead.take(owners, now, cost), by: "process-share" };
  }
}
