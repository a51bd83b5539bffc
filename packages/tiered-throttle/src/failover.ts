import type { LocalCounters, Taken } from "./counters.ts";
import type { StoreCounters } from "./store.ts";

export interface FailoverPolicy {
  /** What counts while the store is down; absent: nothing does, and nobody is admitted. */
  readonly local: LocalCounters | undefined;
  readonly retryMs: number;
  readonly now: () => number;
  /** F12: told once per change. */
  readonly onStoreState: (state: "up" | "down") => void;
}

/** `down`: the store cannot answer and nothing else counts. */
export type Counted =
  | { readonly kind: "taken"; readonly taken: Taken; readonly by: "first-choice" | "fallback" }
  | { readonly kind: "down" };

/**
 * The store while it answers. After a failure the local counters take over for `retryMs`; then one request asks the
 * store again while the others stay local, so an outage costs one deadline per interval, not one per request (F5).
 */
export class FailoverCounters {
  readonly #store: StoreCounters;
  readonly #policy: FailoverPolicy;
  #down = false;
  #retryAt = 0;

  constructor(store: StoreCounters, policy: FailoverPolicy) {
    this.#store = store;
    this.#policy = policy;
  }

  async take(keys: readonly string[]): Promise<Counted> {
    const now = this.#policy.now();
    if (this.#down) {
      if (now < this.#retryAt) return this.#withoutStore(keys, now);
      // This request is the probe; those that come while it waits see the next interval.
      this.#retryAt = now + this.#policy.retryMs;
    }
    try {
      const taken = await this.#store.take(keys, now);
      this.#become(false);
      return { kind: "taken", taken, by: "first-choice" };
    } catch {
      this.#retryAt = this.#policy.now() + this.#policy.retryMs;
      this.#become(true);
      return this.#withoutStore(keys, this.#policy.now());
    }
  }

  #withoutStore(keys: readonly string[], now: number): Counted {
    const { local } = this.#policy;
    return local === undefined ? { kind: "down" } : { kind: "taken", taken: local.take(keys, now), by: "fallback" };
  }

  #become(down: boolean): void {
    if (this.#down === down) return;
    this.#down = down;
    try {
      this.#policy.onStoreState(down ? "down" : "up");
    } catch {
      // A listener that fails changes nothing about who is let through.
    }
  }
}
