import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import type { AsyncTier, AsyncTiers } from "./queue.ts";

const TIER = ["concurrency", "waiting", "perOrganisation"] as const satisfies readonly (keyof AsyncTier)[];
const MOST_TIERS = 16;

/** Fills in defaults, and finds every mistake. */
export function parseTiers(
  found: Findings,
  given: Readonly<Record<string, AsyncTier>> | undefined,
  path = "tiers",
): AsyncTiers {
  const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
  if (names.length === 0 || names.length > MOST_TIERS)
    found.add(path, "not-a-set-of-tiers", `give 1 to ${MOST_TIERS} tiers by name`);
  const tiers: [string, Required<AsyncTier>][] = [];
  for (const name of names) {
    const at = join(path, name);
    const tier = given?.[name];
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
      found.add(at, "not-a-name", "name a tier with lower-case letters, digits and hyphens");
    if (typeof tier !== "object" || tier === null) {
      found.add(at, "not-an-object", "write { concurrency, waiting, perOrganisation }");
      continue;
    }
    refuseUnknownKeys(found, tier, TIER, at);
    const { concurrency = 2, waiting = 100, perOrganisation = 5 } = tier;
    checkWhole(found, join(at, "concurrency"), concurrency, 1, 1000);
    checkWhole(found, join(at, "waiting"), waiting, 1, 10_000);
    checkWhole(found, join(at, "perOrganisation"), perOrganisation, 1, 10_000);
    tiers.push([name, Object.freeze({ concurrency, waiting, perOrganisation })]);
  }
  return Object.freeze(Object.fromEntries(tiers));
}

export function checkWhole(found: Findings, path: string, value: unknown, least: number, most: number): void {
  if (!(Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most))
    found.add(path, "out-of-range", `write a whole number from ${least} to ${most}`);
}
