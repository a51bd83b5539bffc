import type { IncomingMessage } from "node:http";
import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkFunctions, checkName, checkObject, checkOneOf, checkPositive } from "./checks.ts";
import { type ClassBounds, DEFAULT_BOUNDS } from "./classes/classify.ts";
import { COUNTING, type CountingOptions, checkCounting, withCounting } from "./counting-options.ts";
import type { ThrottleDecision } from "./hooks.ts";
import { checkTier, checkTiers, parseTierRule } from "./parse-tiers.ts";
import type { QuotaMemory } from "./quota/index.ts";
import { RATE_FIELDS, type RateFields } from "./rate-fields.ts";
import { checkSharing, type ParsedSharing, SHARING, type SharingOptions, withSharing } from "./sharing-options.ts";
import type { ParsedTier, TierRule } from "./tiers.ts";

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

export interface ParsedThrottle extends Required<CountingOptions>, ParsedSharing {
  readonly tiers: readonly ParsedTier[];
  readonly classes: Required<ClassBounds>;
  readonly fields: RateFields;
  readonly weightOf: (req: IncomingMessage) => number;
  readonly onDecision: ((decision: ThrottleDecision) => void) | undefined;
  readonly quotaMemory: QuotaMemory | undefined;
}
const ONE_TIER = ["windows", "quotas", "concurrency", "costs", "name"] as const;
const THROTTLE = [
  ...ONE_TIER,
  "tiers",
  "classes",
  "fields",
  "onDecision",
  "weightOf",
  "quotaMemory",
  ...SHARING,
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
    ...withSharing(options),
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
