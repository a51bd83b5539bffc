import { DependencyError, type WindowPolicy } from "@wardline/policy-types";
import { type ClientRateLimitInfo, rateLimit, type Store } from "express-rate-limit";
import type { Taken, WindowCount } from "./counters.ts";

/** Makes the store of one window: `(window) => new RedisStore({ prefix: ..., sendCommand })`. */
export type StoreFactory = (window: WindowPolicy) => Store;

/** Counters outside the process, one express-rate-limit store per window. */
export class StoreCounters {
  readonly #windows: readonly WindowPolicy[];
  readonly #stores: readonly Store[];
  readonly #deadlineMs: number;

  constructor(windows: readonly WindowPolicy[], factory: StoreFactory, deadlineMs: number) {
    this.#windows = windows;
    this.#stores = windows.map((window) => initialised(factory(window), window));
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Charges every window; when one of them was full already, takes all charges back. Each store's increment is atomic, so
   * no window admits more than its quota; between a charge and its return a window can look fuller than it is.
   *
   * Throws a DependencyError when a store fails, answers nonsense or exceeds the deadline. What was charged until then
   * stays charged: a time-out means unknown, and what is unknown is not undone (F2).
   */
  async take(keys: readonly string[], now: number): Promise<Taken> {
    const infos = await this.#ask((store, index) => store.increment(keys[index] as string));
    const counts = infos.map((info, index) => readCount(info, this.#windows[index] as WindowPolicy, now));
    const admitted = infos.every((info, index) => info.totalHits <= (this.#windows[index] as WindowPolicy).limit);
    if (admitted) return { admitted, counts };
    await this.#ask((store, index) => store.decrement(keys[index] as string));
    return { admitted, counts: counts.map((count, index) => this.#withoutCharge(count, index, infos)) };
  }

  #withoutCharge(count: WindowCount, index: number, infos: readonly ClientRateLimitInfo[]): WindowCount {
    const { limit } = this.#windows[index] as WindowPolicy;
    return { ...count, remaining: Math.max(0, limit - (infos[index] as ClientRateLimitInfo).totalHits + 1) };
  }

  /** F1: client libraries' own time-outs do not protect. */
  async #ask<Answer>(question: (store: Store, index: number) => Answer | Promise<Answer>): Promise<Answer[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no answer within the deadline")), this.#deadlineMs);
    });
    try {
      const asked = Promise.all(this.#stores.map(async (store, index) => question(store, index)));
      return await Promise.race([asked, late]);
    } catch (cause) {
      throw new DependencyError("tiered-throttle/store-unavailable", "the counter store did not answer", {
        cause,
        retryable: false,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** express-rate-limit hands a store its whole set of options; some stores read more of them than the window. */
function initialised(store: Store, { limit, windowSeconds }: WindowPolicy): Store {
  rateLimit({
    store,
    limit,
    windowMs: windowSeconds * 1000,
    standardHeaders: false,
    legacyHeaders: false,
    validate: false,
  });
  return store;
}

function readCount(info: ClientRateLimitInfo, { limit, windowSeconds }: WindowPolicy, now: number): WindowCount {
  if (!Number.isSafeInteger(info.totalHits) || info.totalHits < 1) {
    throw new DependencyError("tiered-throttle/store-unavailable", "the counter store answered with no count", {
      retryable: false,
    });
  }
  const latest = now + windowSeconds * 1000;
  const resetAt = info.resetTime?.getTime() ?? latest;
  return {
    remaining: Math.max(0, limit - info.totalHits),
    resetAt: Number.isFinite(resetAt) ? Math.min(Math.max(resetAt, now), latest) : latest,
  };
}
