import { type Findings, join } from "@wardline/policy-types";

/** Of an environment come strings: one of digits would pass a comparison, and then lengthen what it is added to (S9). */
export function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

/** `"true"` is no `true`: what was meant to be stricter would silently not be. */
export function checkBooleans<Name extends string>(
  found: Findings,
  options: { readonly [name in Name]?: unknown },
  names: readonly Name[],
  path = "",
): void {
  for (const name of names) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      found.add(join(path, name), "not-a-boolean", "must be true or false, not text");
    }
  }
}
