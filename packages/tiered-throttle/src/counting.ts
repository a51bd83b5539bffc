import { RedisStore } from "rate-limit-redis";
import { LocalCounters, type Remembered } from "./counters.ts";
import { type Counted, FailoverCounters, type SharedCounters, StoreBreaker } from "./failover.ts";
import type { Limit } from "./limits.ts";
import type { ParsedThrottle } from "./options.ts";
import { RedisCounters, recoveringSendCommand } from "./redis/index.ts";
import { StoreCounters, type StoreFactory } from "./store.ts";
import type { ParsedTier } from "./tiers.ts";

/** Charges one request to the owners of a tier's limits: at once in this process, later in a shared store. */
export type Count = (owners: readonly string[], cost: number) => Counted | Promise<Counted>;

export interface Counting {
  readonly countOf: (tier: ParsedTier) => Count;
  readonly store: () => "none" | "up" | "down";
}

/** The counters the options ask for: this process's, or a shared store with what was chosen behind it. */
export function countingOf(options: ParsedThrottle): Counting {
  const { maxKeys, now, redis, store } = options;
  if (redis === undefined && store === undefined) {
    const remembered = (tier: ParsedTier): Remembered | undefined =>
      options.quotaMemory === undefined ? undefined : { memory: options.quotaMemory, tier: tier.name };
    return {
      countOf: (tier) => inProcess(new LocalCounters(tier.limits, maxKeys, remembered(tier)), now),
      store: () => "none",
    };
  }
  const breaker = new StoreBreaker({
    retryMs: options.storeRetrySeconds * 1000,
    now,
    onStoreState: options.onStoreState,
  });
  return {
    countOf(tier) {
      const instead =
        options.onStoreFailure === "local"
          ? new LocalCounters(sharesOf(tier.limits, options), maxKeys)
          : options.onStoreFailure;
      const counters = new FailoverCounters(sharedOf(options, tier), { instead, breaker });
      return (owners, cost) => counters.take(owners, now, cost);
    },
    store: () => breaker.state,
  };
}

function inProcess(counters: LocalCounters, now: () => number): Count {
  return (owners, cost) => ({ kind: "taken", taken: counters.take(owners, now(), cost), by: "process" });
}

/** F4: this process's share. A share below one would be "closed" under another name. */
function sharesOf(limits: readonly Limit[], { expectedReplicas }: ParsedThrottle): readonly Limit[] {
  return limits.map((limit) => {
    const share = Math.max(1, Math.floor(limit.limit / expectedReplicas));
    if (limit.kind === "window") return { ...limit, limit: share };
    return { ...limit, limit: share, carry: Math.floor(limit.carry / expectedReplicas) };
  });
}

function sharedOf(options: ParsedThrottle, tier: ParsedTier): SharedCounters {
  const { redis, redisPrefix: prefix, store, storeDeadlineMs: deadlineMs } = options;
  if (redis === undefined) return new StoreCounters(tier.name, tier.limits, store as StoreFactory, deadlineMs);
  if (!isPlain(tier))
    return new RedisCounters({ sendCommand: redis, prefix, tier: tier.name, limits: tier.limits, deadlineMs });
  const sendCommand = recoveringSendCommand(redis);
  return new StoreCounters(tier.name, tier.limits, () => new RedisStore({ sendCommand, prefix }), deadlineMs);
}

/** One window that every request costs one: what rate-limit-redis counts in one round trip by itself. */
function isPlain({ limits, costs }: ParsedTier): boolean {
  return limits.length === 1 && limits[0]?.kind === "window" && Object.values(costs).every((cost) => cost === 1);
}
