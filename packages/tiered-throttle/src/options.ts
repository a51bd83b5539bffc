import type { IncomingMessage } from "node:http";
import { type Findings, findings, refuseUnknownKeys, type SendCommand } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { checkFunctions, checkName, checkObject, checkOneOf, checkPositive, checkWindowSeconds } from "./checks.ts";
import { type ClassBounds, DEFAULT_BOUNDS } from "./classes/classify.ts";
import type { ThrottleDecision } from "./hooks.ts";
import { checkTier, checkTiers, parseTierRule } from "./parse-tiers.ts";
import type { QuotaMemory } from "./quota/index.ts";
import { RATE_FIELDS, type RateFields } from "./rate-fields.ts";
import type { StoreFactory } from "./store.ts";
import type { ParsedTier, TierRule } from "./tiers.ts";

/** How both throttles find whom to charge, and how much they remember. */
export interface CountingOptions {
  /** The client's address. Default the one perimeter found through trusted proxies, else the connected peer's. */
  readonly addressOf?: (req: IncomingMessage) => string | undefined;
  /** Bits of an IPv6 address that name one subscriber, 32 to 128. Default 56. */
  readonly ipv6Prefix?: number;
  /** Keys remembered per window; further ones share one counter. Default 100000. */
  readonly maxKeys?: number;
  /** Milliseconds since the epoch. Default a clock that never goes back. */
  readonly now?: () => number;
}

/** Counters shared by several processes, and what happens while they cannot be reached. */
export interface SharingOptions {
  /** One Redis command, with the client of your choice. Windows, quotas and costs in one round trip. */
  readonly redis?: SendCommand;
  /** Begins every key. Default `wardline:throttle:`. */
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

/** One tier for all, written directly, or several in `tiers`. */
export interface TieredThrottleOptions extends Omit<TierRule, "name" | "when">, CountingOptions, SharingOptions {
  /** Name of the tier written directly. Default `tier`. */
  readonly name?: string;
  /** The first whose `when` holds limits the request; the last has none. */
  readonly tiers?: readonly TierRule[];
  /** Where an ordinary request ends. */
  readonly classes?: ClassBounds;
  /** Which RateLimit fields answers carry. Default `draft-10`. */
  readonly fields?: RateFields;
  /** How many times its cost a request takes, a whole number from 1: `abuseMonitor().costOf`. Default 1. */
  readonly weightOf?: (req: IncomingMessage) => number;
  /** Where quotas counted in this process are remembered over a restart: `openQuotaFile`. Not together with a shared store. */
  readonly quotaMemory?: QuotaMemory;
  /** Told every decision. */
  readonly onDecision?: (decision: ThrottleDecision) => void;
}

export interface DoorThrottleOptions extends CountingOptions {
  /** Requests per window and address. */
  readonly limit: number;
  /** In seconds. */
  readonly windowSeconds: number;
  /** Requests of one address that may be refused with 401 per window, before it is refused at the door. Absent: not counted apart. */
  readonly failures?: { readonly limit: number; readonly windowSeconds: number };
}

type Complete<Options, Optional extends keyof Options> = Required<Omit<Options, Optional>> & Pick<Options, Optional>;
export type ParsedSharing = Complete<SharingOptions, "redis" | "store">;
export interface ParsedThrottle extends Required<CountingOptions>, ParsedSharing {
  readonly tiers: readonly ParsedTier[];
  readonly classes: Required<ClassBounds>;
  readonly fields: RateFields;
  readonly weightOf: (req: IncomingMessage) => number;
  readonly onDecision: ((decision: ThrottleDecision) => void) | undefined;
  readonly quotaMemory: QuotaMemory | undefined;
}
export type ParsedDoor = Complete<DoorThrottleOptions, "failures">;

const COUNTING = ["addressOf", "ipv6Prefix", "maxKeys", "now"] as const satisfies readonly (keyof CountingOptions)[];
const ONE_TIER = ["windows", "quotas", "concurrency", "costs", "name"] as const;
const THROTTLE = [
  ...ONE_TIER,
  "tiers",
  "classes",
  "fields",
  "onDecision",
  "weightOf",
  "quotaMemory",
  "redis",
  "redisPrefix",
  "store",
  "storeDeadlineMs",
  "onStoreFailure",
  "protects",
  "expectedReplicas",
  "storeRetrySeconds",
  "onStoreState",
  ...COUNTING,
] as const satisfies readonly (keyof TieredThrottleOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseThrottle(options: TieredThrottleOptions): ParsedThrottle {
  const found = findings();
  refuseUnknownKeys(found, options, THROTTLE);
  checkCounting(found, options);
  if (options.tiers === undefined) {
    checkTier(found, "", options);
    if (options.name !== undefined) checkName(found, "name", options.name);
  } else {
    checkTiers(found, options.tiers);
    for (const name of ONE_TIER) {
      if (options[name] !== undefined) found.add(name, "tier-written-twice", "write it in one of `tiers`");
    }
  }
  checkSharing(found, options);
  if (options.classes !== undefined) checkBounds(found, options.classes);
  if (options.fields !== undefined) checkOneOf(found, "fields", options.fields, RATE_FIELDS, "unknown-fields");
  checkFunctions(found, options, ["onDecision", "weightOf"]);
  checkQuotaMemory(found, options);
  found.throwIfAny("tieredThrottle options");

  const rules = options.tiers ?? [{ ...options, name: options.name ?? "tier" }];
  return Object.freeze({
    ...withCounting(options),
    ...(options.redis === undefined ? {} : { redis: options.redis }),
    ...(options.store === undefined ? {} : { store: options.store }),
    redisPrefix: options.redisPrefix ?? "wardline:throttle:",
    storeDeadlineMs: options.storeDeadlineMs ?? 50,
    onStoreFailure: options.onStoreFailure ?? "local",
    protects: options.protects ?? "patient-data",
    expectedReplicas: options.expectedReplicas ?? 1,
    storeRetrySeconds: options.storeRetrySeconds ?? 5,
    onStoreState: options.onStoreState ?? warnOfStore,
    tiers: Object.freeze(rules.map(parseTierRule)),
    classes: Object.freeze({ ...DEFAULT_BOUNDS, ...options.classes }),
    fields: options.fields ?? "draft-10",
    weightOf: options.weightOf ?? (() => 1),
    onDecision: options.onDecision,
    quotaMemory: options.quotaMemory,
  });
}

function checkQuotaMemory(found: Findings, { quotaMemory, redis, store }: TieredThrottleOptions): void {
  if (quotaMemory === undefined) return;
  if (typeof quotaMemory?.countsOf !== "function" || typeof quotaMemory.changed !== "function")
    found.add("quotaMemory", "not-a-memory", "give what `openQuotaFile` resolves to");
  if (redis !== undefined || store !== undefined)
    found.add("quotaMemory", "not-used", "the shared store remembers; leave one of them out");
}

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseDoor(options: DoorThrottleOptions): ParsedDoor {
  const found = findings();
  refuseUnknownKeys(found, options, ["limit", "windowSeconds", "failures", ...COUNTING]);
  checkCounting(found, options);
  checkPositive(found, "limit", options.limit);
  checkWindowSeconds(found, "windowSeconds", options.windowSeconds);
  const { limit, windowSeconds, failures } = options;
  if (failures !== undefined && checkObject(found, "failures", failures, "write { limit, windowSeconds }")) {
    refuseUnknownKeys(found, failures, ["limit", "windowSeconds"], "failures");
    checkPositive(found, "failures.limit", failures.limit);
    checkWindowSeconds(found, "failures.windowSeconds", failures.windowSeconds);
  }
  found.throwIfAny("doorThrottle options");
  const counting = withCounting(options);
  return Object.freeze({
    ...counting,
    limit,
    windowSeconds,
    ...(failures && { failures: Object.freeze({ ...failures }) }),
  });
}

function withCounting(options: CountingOptions): Required<CountingOptions> {
  return {
    addressOf: options.addressOf ?? callerAddress,
    ipv6Prefix: options.ipv6Prefix ?? 56,
    maxKeys: options.maxKeys ?? 100_000,
    // A wall clock set back would keep clients waiting; one set forward would give every quota twice.
    now: options.now ?? (() => performance.timeOrigin + performance.now()),
  };
}

function checkCounting(found: Findings, options: CountingOptions): void {
  const { ipv6Prefix, maxKeys } = options;
  if (ipv6Prefix !== undefined && !(Number.isInteger(ipv6Prefix) && ipv6Prefix >= 32 && ipv6Prefix <= 128)) {
    found.add("ipv6Prefix", "out-of-range", "write a whole number from 32 to 128");
  }
  if (maxKeys !== undefined) checkPositive(found, "maxKeys", maxKeys);
  checkFunctions(found, options, ["addressOf", "now"]);
}

function checkSharing(found: Findings, options: TieredThrottleOptions): void {
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

function checkBounds(found: Findings, bounds: ClassBounds): void {
  if (!checkObject(found, "classes", bounds, `write any of ${Object.keys(DEFAULT_BOUNDS).join(", ")}`)) return;
  refuseUnknownKeys(found, bounds, Object.keys(DEFAULT_BOUNDS), "classes");
  for (const name of ["count", "chainSteps", "includes"] as const) {
    if (bounds[name] !== undefined) checkPositive(found, `classes.${name}`, bounds[name]);
  }
  for (const name of ["expensiveOperations", "bulkOperations"] as const) {
    const names: unknown = bounds[name];
    if (names === undefined) continue;
    if (!Array.isArray(names) || !names.every((one) => typeof one === "string" && /^[\w-]+$/.test(one))) {
      found.add(`classes.${name}`, "not-operations", "write names of operations without $");
    }
  }
}

/** Perimeter says who called behind trusted proxies; without it the peer is the caller. */
function callerAddress(req: IncomingMessage): string | undefined {
  const { clientAddress, transport } = contextOf(req);
  return clientAddress ?? transport.peerAddress;
}

/** Where nobody gave `onStoreState`; once for each outage. */
function warnOfStore(state: "up" | "down"): void {
  if (state === "up") return;
  process.emitWarning(
    "the shared counters cannot be reached: check Redis; until then `onStoreFailure` decides, and `onStoreState` tells more",
    { code: "WARDLINE_COUNTERS_DOWN" },
  );
}
