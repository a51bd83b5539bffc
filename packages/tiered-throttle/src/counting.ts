import type { WindowPolicy } from "@wardline/policy-types";
import { LocalCounters, type WindowSize } from "./counters.ts";
import { type Counted, FailoverCounters } from "./failover.ts";
import type { ParsedTier } from "./options.ts";
import { StoreCounters } from "./store.ts";

/** Charges one request to the keys of a tier's windows: at once in this process, later in a shared store. */
export type Count = (keys: readonly string[]) => Counted | Promise<Counted>;

/** The counters a tier asks for: this process's, or a shared store with this process's behind it. */
export function countingOf(tier: ParsedTier): Count {
  const { windows, maxKeys, now } = tier;
  if (tier.store === undefined) {
    const counters = new LocalCounters(windows.map(sizeOf), maxKeys);
    return (keys) => ({ kind: "taken", taken: counters.take(keys, now()), by: "first-choice" });
  }
  // F4: this process's share. A share below one would be "closed" under another name.
  const share = (limit: number): number => Math.max(1, Math.floor(limit / tier.expectedReplicas));
  const shares = windows.map((window) => sizeOf({ ...window, limit: share(window.limit) }));
  const failover = new FailoverCounters(new StoreCounters(windows, tier.store, tier.storeDeadlineMs), {
    local: tier.onStoreFailure === "local" ? new LocalCounters(shares, maxKeys) : undefined,
    retryMs: tier.storeRetrySeconds * 1000,
    now,
    onStoreState: tier.onStoreState,
  });
  return (keys) => failover.take(keys);
}

export function sizeOf({ limit, windowSeconds }: Pick<WindowPolicy, "limit" | "windowSeconds">): WindowSize {
  return { limit, windowMs: windowSeconds * 1000 };
}
