import { DependencyError } from "@wardline/policy-types";

/** Values by key until a time, so many at once; what still counts is never pushed out (S8). */
export interface Expiring<Value> {
  get(key: string, nowSeconds: number): Value | undefined;
  /** Throws when it is full. */
  set(key: string, value: Value, times: { readonly until: number; readonly nowSeconds: number }): void;
}

/** @param limit values at once */
export function createExpiring<Value>(limit: number): Expiring<Value> {
  const entries = new Map<string, { readonly value: Value; readonly until: number }>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  return {
    get(key, nowSeconds) {
      const entry = entries.get(key);
      return entry !== undefined && nowSeconds < entry.until ? entry.value : undefined;
    },
    set(key, value, { until, nowSeconds }) {
      entries.delete(key);
      forgetExpired(nowSeconds);
      if (entries.size >= limit) {
        throw new DependencyError("smart-auth/replay-store-full", "the replay store is full", { retryable: true });
      }
      entries.set(key, { value, until });
    },
  };

  /** The oldest few at each call; all of them at most once a second, when there is no room. */
  function forgetExpired(nowSeconds: number): void {
    for (const [key, { until }] of entries) {
      if (nowSeconds < until) break;
      entries.delete(key);
    }
    if (entries.size < limit || nowSeconds - sweptAt < 1) return;
    sweptAt = nowSeconds;
    for (const [key, { until }] of entries) if (nowSeconds >= until) entries.delete(key);
  }
}
