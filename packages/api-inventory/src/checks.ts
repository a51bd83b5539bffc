import type { Findings } from "@wardline/policy-types";

export function checkCount(found: Findings, path: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  found.add(path, "out-of-range", `give a whole number from ${min} to ${max}`);
}
