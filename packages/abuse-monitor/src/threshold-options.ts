import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import type { ThresholdOptions, Thresholds } from "./detectors/thresholds.ts";

/** Lays changed thresholds over the defaults. What is not a sensible number is a finding. */
export function readThresholds(found: Findings, given: ThresholdOptions, defaults: Thresholds): Thresholds {
  const names = Object.keys(defaults) as (keyof Thresholds)[];
  refuseUnknownKeys(found, given, names, "thresholds");
  const merged = names.map((name) => {
    const path = join("thresholds", name);
    const changed = (given[name] ?? {}) as Readonly<Record<string, unknown>>;
    refuseUnknownKeys(found, changed, Object.keys(defaults[name]), path);
    for (const [key, value] of Object.entries(changed)) checkValue(found, join(path, key), key, value);
    return [name, Object.freeze({ ...defaults[name], ...changed })];
  });
  return Object.freeze(Object.fromEntries(merged)) as Thresholds;
}

function checkValue(found: Findings, path: string, key: string, value: unknown): void {
  if (key === "weights") {
    const weights = Object.values((value ?? {}) as object) as unknown[];
    if (!weights.every((weight) => isNumber(weight, 0, 1000)))
      found.add(path, "out-of-range", "write numbers from 0 to 1000");
    return;
  }
  const [least, most] = RANGES.get(key) ?? [Number.MIN_VALUE, Number.MAX_SAFE_INTEGER];
  if (!isNumber(value, least, most)) {
    found.add(
      path,
      "out-of-range",
      RANGES.has(key) ? `write a number from ${least} to ${most}` : "write a number above zero",
    );
  }
}

const SHARE = [0, 1] as const;
const HOUR = [0, 24] as const;
const RANGES: ReadonlyMap<string, readonly [number, number]> = new Map<string, readonly [number, number]>([
  ["failureShare", SHARE],
  ["refusedShare", SHARE],
  ["nightShare", SHARE],
  ["nightFromHour", HOUR],
  ["nightToHour", HOUR],
  ["utcOffsetMinutes", [-840, 840]],
  ["windowSeconds", [2, 7 * 86_400]],
]);

function isNumber(value: unknown, least: number, most: number): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= least && value <= most;
}
