import type { Findings, SendCommand } from "@wardline/policy-types";
import { checkFunctions, checkOneOf, checkPositive } from "./checks.ts";
import type { StoreFactory } from "./store.ts";
import type { TierRule } from "./tiers.ts";

/** Counters shared by several processes, and what happens while they cannot be reached. */
export interface SharingOptions {
  /** One Redis command, with the client of your choice. Windows, quotas and costs in one round trip. */
  readonly redis?: SendCommand;
  /** Begins every key. Throttles that are not to count together need one each. Default `wardline:throttle:`. */
  readonly redisPrefix?: string;
  /** Another store: one of express-rate-limit for each window. Knows neither quotas nor costs. Not together with `redis`. */
  readonly store?: StoreFactory;
  /** Longest wait for the store, in milliseconds. Default 50. */
  readonly storeDeadlineMs?: number;
  /**
   * While the store is down: `local` counts in this process up to `limit / expectedReplicas`; `closed` answers 503; `open`
   * lets through uncounted, and only what `protects` nothing. Default `local`.
   */
  readonly onStoreFailure?: "local" | "closed" | "open";
  /** What lies behind. Default `patient-data`. */
  readonly protects?: "patient-data" | "authentication" | "nothing";
  /** Processes that share the store. Default 1. */
  readonly expectedReplicas?: number;
  /** Pause before a failed store is asked again, in seconds. Default 5. */
  readonly storeRetrySeconds?: number;
  /** Told when the store goes down and when it is back, once per change. */
  readonly onStoreState?: (state: "up" | "down") => void;
}

export type ParsedSharing = Required<Omit<SharingOptions, "redis" | "store">> & Pick<SharingOptions, "redis" | "store">;

export const SHARING: readonly (keyof SharingOptions)[] = [
  "redis",
  "redisPrefix",
  "store",
  "storeDeadlineMs",
  "onStoreFailure",
  "protects",
  "expectedReplicas",
  "storeRetrySeconds",
  "onStoreState",
];

/** Fills in defaults. */
export function withSharing(options: SharingOptions): ParsedSharing {
  return {
    ...(options.redis === undefined ? {} : { redis: options.redis }),
    ...(options.store === undefined ? {} : { store: options.store }),
    redisPrefix: options.redisPrefix ?? "wardline:throttle:",
    storeDeadlineMs: options.storeDeadlineMs ?? 50,
    onStoreFailure: options.onStoreFailure ?? "local",
    protects: options.protects ?? "patient-data",
    expectedReplicas: options.expectedReplicas ?? 1,
    storeRetrySeconds: options.storeRetrySeconds ?? 5,
    onStoreState: options.onStoreState ?? warnOfStore,
  };
}

/** What counts by ones only can hold no tier with quotas or costs. */
export function checkSharing(
  found: Findings,
  options: SharingOptions & Partial<TierRule> & { readonly tiers?: unknown },
): void {
  for (const name of ["storeDeadlineMs", "expectedReplicas", "storeRetrySeconds"] as const) {
    if (options[name] !== undefined) checkPositive(found, name, options[name]);
  }
  checkFunctions(found, options, ["redis", "store", "onStoreState"]);
  const { redisPrefix, store, onStoreFailure: mode, protects } = options;
  if (redisPrefix !== undefined && !(typeof redisPrefix === "string" && /^[\w:.-]{1,64}$/.test(redisPrefix))) {
    found.add("redisPrefix", "not-a-prefix", "write 1 to 64 letters, digits or :._-");
  }
  if (store !== undefined) {
    if (options.redis !== undefined) found.add("store", "two-stores", "write `redis` or `store`");
    const tiers: readonly unknown[] = Array.isArray(options.tiers) ? options.tiers : [];
    for (const tier of [options, ...tiers] as (Partial<TierRule> | null)[]) {
      if (tier?.quotas === undefined && tier?.costs === undefined) continue;
      found.add("store", "store-counts-by-ones", "quotas and costs need `redis` or no store");
      break;
    }
  }
  if (protects !== undefined) {
    checkOneOf(found, "protects", protects, ["patient-data", "authentication", "nothing"], "unknown-protection");
  }
  checkFailureMode(found, mode, protects);
}

/** F6: a protected route is never opened by a failure. */
function checkFailureMode(found: Findings, mode: string | undefined, protects: string | undefined): void {
  if (mode === undefined || mode === "local" || mode === "closed") return;
  if (mode === "open" && protects === "nothing") return;
  const message =
    mode === "open"
      ? "a route that carries patient data or authenticates is never opened because counters are down: write local or closed"
      : "write local, closed or open";
  found.add("onStoreFailure", "failure-mode-refused", message);
}

/** Where nobody gave `onStoreState`; once for each outage. */
function warnOfStore(state: "up" | "down"): void {
  if (state === "up") return;
  process.emitWarning(
    "the shared counters cannot be reached: check Redis; until then `onStoreFailure` decides, and `onStoreState` tells more",
    { code: "WARDLINE_COUNTERS_DOWN" },
  );
}
