import { DependencyError, type WindowPolicy } from "@wardline/policy-types";
import { type ClientRateLimitInfo, rateLimit, type Store } from "express-rate-limit";
import { withinDeadline } from "./deadline.ts";
import type { SharedCounters } from "./failover.ts";
import type { Limit, LimitCount, Taken, ThrottleWindow } from "./limits.ts";

/** Makes the store of one window: `(window) => new RedisStore({ prefix: ..., sendCommand })`. */
export type StoreFactory = (window: ThrottleWindow) => Store;

type Window = Extract<Limit, { kind: "window" }>;

/**
 * Counters outside the process, one express-rate-limit store per window. Each request costs every window one.
 *
 * One window alone is charged and never given back: what is over its limit ends with the window and keeps nobody out who was
 * not out already (F14).
 */
export class StoreCounters implements SharedCounters {
  readonly #tier: string;
  readonly #windows: readonly Window[];
  readonly #stores: readonly Store[];
  readonly #deadlineMs: number;

  constructor(tier: string, limits: readonly Limit[], factory: StoreFactory, deadlineMs: number) {
    this.#tier = tier;
    this.#windows = limits.filter((limit): limit is Window => limit.kind === "window");
    if (this.#windows.length !== limits.length) throw new Error("a store of express-rate-limit keeps no quotas");
    this.#stores = this.#windows.map((window) => initialised(factory(policyOf(window)), window));
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Charges every window; when one of several was full already, takes all charges back. Each store's increment is atomic, so
   * no window admits more than its quota; between a charge and its return a window can look fuller than it is.
   *
   * Throws a DependencyError when a store fails, answers nonsense or exceeds the deadline. What was charged until then
   * stays charged: a time-out means unknown, and what is unknown is not undone (F2).
   */
  async take(owners: readonly string[], now: number): Promise<Taken> {
    const infos = await this.#ask((store, index) => store.increment(this.#keyOf(owners, index)));
    const counts = infos.map((info, index) => readCount(info, this.#windows[index] as Window, now));
    const full = infos.flatMap((info, index) =>
      info.totalHits > (this.#windows[index] as Window).limit ? [index] : [],
    );
    if (full.length === 0) return { admitted: true, counts, full };
    if (this.#stores.length > 1) await this.#ask((store, index) => store.decrement(this.#keyOf(owners, index)));
    return { admitted: false, counts: counts.map((count, index) => withoutCharge(count, infos[index])), full };
  }

  #keyOf(owners: readonly string[], index: number): string {
    const { name, windowMs } = this.#windows[index] as Window;
    return `${this.#tier}:${name}:${windowMs}:${owners[index]}`;
  }

  #ask<Answer>(question: (store: Store, index: number) => Answer | Promise<Answer>): Promise<Answer[]> {
    return withinDeadline(this.#deadlineMs, () =>
      Promise.all(this.#stores.map(async (store, index) => question(store, index))),
    );
  }
}

function withoutCharge(count: LimitCount, info: ClientRateLimitInfo | undefined): LimitCount {
  return { ...count, remaining: Math.max(0, count.limit - (info?.totalHits ?? 0) + 1) };
}

function policyOf({ name, limit, windowMs, by }: Window): ThrottleWindow {
  return { name, limit, windowSeconds: windowMs / 1000, by } satisfies Omit<WindowPolicy, "by"> & { by: string };
}

/** express-rate-limit hands a store its whole set of options; some stores read more of them than the window. */
function initialised(store: Store, { limit, windowMs }: Window): Store {
  rateLimit({ store, limit, windowMs, standardHeaders: false, legacyHeaders: false, validate: false });
  return store;
}

function readCount(info: ClientRateLimitInfo, { limit, windowMs }: Window, now: number): LimitCount {
  if (!Number.isSafeInteger(info.totalHits) || info.totalHits < 1) {
    throw new DependencyError("tiered-throttle/store-unavailable", "the counter store answered with no count", {
      retryable: false,
    });
  }
  const latest = now + windowMs;
  const resetAt = info.resetTime?.getTime() ?? latest;
  return {
    limit,
    remaining: Math.max(0, limit - info.totalHits),
    resetAt: Number.isFinite(resetAt) ? Math.min(Math.max(resetAt, now), latest) : latest,
    lengthMs: windowMs,
  };
}
