import { type Findings, join, refuseUnknownKeys, TRUST_ZONES } from "@wardline/policy-types";
import {
  checkCosts,
  checkName,
  checkObject,
  checkOneOf,
  checkPositive,
  checkQuota,
  checkRelations,
  checkWindow,
} from "./checks.ts";
import { OPERATION_CLASSES } from "./classes/index.ts";
import { limitOfQuota, limitOfWindow, type ThrottleWindow } from "./limits.ts";
import type { QuotaPolicy } from "./quota/index.ts";
import { compileMatch, MATCH_KEYS, type ParsedTier, type TierMatch, type TierRule } from "./tiers.ts";

const TIER = [
  "name",
  "when",
  "windows",
  "quotas",
  "concurrency",
  "costs",
] as const satisfies readonly (keyof TierRule)[];

/** What is wrong with a list of tiers. Its last one must be for every request: none goes unlimited. */
export function checkTiers(found: Findings, tiers: readonly TierRule[]): void {
  if (!Array.isArray(tiers) || tiers.length === 0) {
    found.add("tiers", "empty", "give at least one tier");
    return;
  }
  const names = new Set<unknown>();
  (tiers as readonly TierRule[]).forEach((tier, index) => {
    const path = join("tiers", index);
    if (!checkObject(found, path, tier, "write { name, when, windows }")) return;
    refuseUnknownKeys(found, tier, TIER, path);
    checkName(found, join(path, "name"), tier.name);
    if (names.has(tier.name)) found.add(join(path, "name"), "duplicate-name", "give every tier a name of its own");
    names.add(tier.name);
    const isLast = index === tiers.length - 1;
    if (isLast && tier.when !== undefined) {
      found.add(join(path, "when"), "no-tier-for-the-rest", "let the last tier be for every request");
    } else if (!isLast && tier.when === undefined) {
      found.add(path, "tiers-never-reached", "a tier without `when` is for every request: write it last");
    }
    if (tier.when !== undefined) checkMatch(found, join(path, "when"), tier.when);
    checkTier(found, path, tier);
  });
}

/** What is wrong with the limits of one tier. */
export function checkTier(found: Findings, path: string, tier: Omit<TierRule, "name" | "when">): void {
  const { windows = [], quotas = [], concurrency, costs } = tier;
  if (!Array.isArray(windows) || !Array.isArray(quotas) || windows.length + quotas.length === 0) {
    found.add(join(path, "windows"), "empty", "give at least one window");
    return;
  }
  const before = found.issues.length;
  windows.forEach((window: ThrottleWindow, index) => {
    checkWindow(found, join(join(path, "windows"), index), window);
  });
  quotas.forEach((quota: QuotaPolicy, index) => {
    const here = join(join(path, "quotas"), index);
    checkQuota(found, here, quota);
    const others: readonly ({ readonly name?: unknown } | null)[] = windows.concat(quotas.slice(0, index));
    if (quota !== null && others.some((other) => other?.name === quota.name)) {
      found.add(join(here, "name"), "duplicate-name", "give every window and quota a name of its own");
    }
  });
  if (found.issues.length === before) checkRelations(found, join(path, "windows"), windows);
  if (concurrency !== undefined) checkPositive(found, join(path, "concurrency"), concurrency);
  if (costs !== undefined) checkCosts(found, join(path, "costs"), costs);
}

function checkMatch(found: Findings, path: string, when: TierMatch): void {
  if (!checkObject(found, path, when, "write what requests have in common")) return;
  refuseUnknownKeys(found, when, MATCH_KEYS, path);
  if (Object.keys(when).length === 0) found.add(path, "empty", "say which requests, or leave `when` out");
  for (const key of MATCH_KEYS) {
    const value = when[key];
    if (value === undefined) continue;
    const words: readonly unknown[] = [value].flat();
    if (words.length === 0 || words.some((word) => typeof word !== "string" || word === "")) {
      found.add(join(path, key), "not-a-word", "write a word or a list of words");
    } else if (key === "zone" || key === "operationClass") {
      const known = key === "zone" ? TRUST_ZONES : OPERATION_CLASSES;
      for (const word of words)
        checkOneOf(found, join(path, key), word, known, `unknown-${key === "zone" ? "zone" : "class"}`);
    }
  }
}

/** Requires a tier that was checked. */
export function parseTierRule({ name, when, windows = [], quotas = [], concurrency, costs }: TierRule): ParsedTier {
  return Object.freeze({
    name,
    matches: compileMatch(when),
    limits: Object.freeze([...windows.map(limitOfWindow), ...quotas.map(limitOfQuota)]),
    concurrency,
    costs: Object.freeze({ ordinary: 1, expensive: 1, bulk: 1, ...costs }),
  });
}
