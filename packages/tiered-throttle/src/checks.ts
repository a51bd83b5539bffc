import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { OPERATION_CLASSES } from "./classes/index.ts";
import type { WindowOwner } from "./keys.ts";
import type { ThrottleWindow } from "./limits.ts";
import { createCalendar, type QuotaPolicy } from "./quota/index.ts";

const OWNERS = [
  "client",
  "user",
  "organisation",
  "device",
  "department",
  "address",
] as const satisfies readonly WindowOwner[];

export function checkFunctions<Options extends object>(
  found: Findings,
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  for (const name of names) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      found.add(name, "not-a-function", "give a function");
  }
}

export function checkPositive(found: Findings, path: string, value: unknown): void {
  // RFC 9651 section 3.3.1: an Integer has at most 15 digits.
  if (!(Number.isInteger(value) && (value as number) > 0 && (value as number) <= 999_999_999_999_999)) {
    found.add(path, "not-a-positive-integer", "write a whole number above zero");
  }
}

export function checkOneOf(
  found: Findings,
  path: string,
  value: unknown,
  words: readonly string[],
  code: string,
): void {
  if (!words.includes(value as string)) found.add(path, code, `write one of ${words.join(", ")}`);
}

/** True when there is something to look into. */
export function checkObject(found: Findings, path: string, value: unknown, hint: string): value is object {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return true;
  found.add(path, "not-an-object", hint);
  return false;
}

const LONGEST_WINDOW_SECONDS = 366 * 86_400;

export function checkWindowSeconds(found: Findings, path: string, value: unknown): void {
  if (!(Number.isInteger(value) && (value as number) > 0 && (value as number) <= LONGEST_WINDOW_SECONDS)) {
    found.add(path, "not-a-window", "write whole seconds above zero, at most a year");
  }
}

/** Token characters (RFC 9110 section 5.6.2): none of them needs escaping in a structured-field String. */
export function checkName(found: Findings, path: string, value: unknown): void {
  if (typeof value === "string" && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(value)) return;
  found.add(path, "not-a-name", "write 1 to 64 letters, digits or -._~");
}

export function checkWindow(found: Findings, path: string, window: ThrottleWindow): void {
  if (!checkObject(found, path, window, "write { name, limit, windowSeconds, by }")) return;
  refuseUnknownKeys(found, window, ["name", "limit", "windowSeconds", "by"], path);
  checkName(found, join(path, "name"), window.name);
  checkPositive(found, join(path, "limit"), window.limit);
  checkWindowSeconds(found, join(path, "windowSeconds"), window.windowSeconds);
  checkOneOf(found, join(path, "by"), window.by, OWNERS, "unknown-owner");
}

export function checkQuota(found: Findings, path: string, quota: QuotaPolicy): void {
  if (!checkObject(found, path, quota, "write { name, limit, per }")) return;
  refuseUnknownKeys(found, quota, ["name", "limit", "per", "by", "timeZone", "carry"], path);
  checkName(found, join(path, "name"), quota.name);
  checkPositive(found, join(path, "limit"), quota.limit);
  checkOneOf(found, join(path, "per"), quota.per, ["day", "month"], "unknown-period");
  if (quota.by !== undefined) checkOneOf(found, join(path, "by"), quota.by, OWNERS, "unknown-owner");
  if (quota.timeZone !== undefined && !isTimeZone(quota.timeZone)) {
    found.add(join(path, "timeZone"), "unknown-time-zone", "write an IANA name such as America/New_York");
  }
  if (quota.carry !== undefined && quota.carry !== 0) checkPositive(found, join(path, "carry"), quota.carry);
}

/** A plain offset is no time zone: it knows no summer. */
function isTimeZone(name: unknown): boolean {
  if (typeof name !== "string" || !/^[A-Za-z]/.test(name)) return false;
  try {
    createCalendar("day", name);
    return true;
  } catch {
    return false;
  }
}

export function checkCosts(found: Findings, path: string, costs: object): void {
  if (!checkObject(found, path, costs, `write a number for each of ${OPERATION_CLASSES.join(", ")}`)) return;
  refuseUnknownKeys(found, costs, OPERATION_CLASSES, path);
  for (const [name, cost] of Object.entries(costs)) checkPositive(found, join(path, name), cost);
}

/** Names are told to clients, and two windows over the same owner make sense when each of them can be the one that is full. */
export function checkRelations(found: Findings, path: string, windows: readonly ThrottleWindow[]): void {
  windows.forEach((window, index) => {
    const here = join(path, index);
    for (const earlier of windows.slice(0, index)) {
      if (earlier.name === window.name) {
        found.add(join(here, "name"), "duplicate-name", "give every window a name of its own");
        continue;
      }
      if (earlier.by !== window.by) continue;
      const [short, long] = earlier.windowSeconds <= window.windowSeconds ? [earlier, window] : [window, earlier];
      if (short.windowSeconds === long.windowSeconds || short.limit >= long.limit) {
        found.add(
          here,
          "window-never-full",
          `\`${short.name}\` and \`${long.name}\`: the longer window needs the larger limit, or one of them never counts`,
        );
      } else if (short.limit / short.windowSeconds < long.limit / long.windowSeconds) {
        found.add(
          here,
          "window-never-full",
          `\`${short.name}\` allows less per second than \`${long.name}\`, which can therefore never be full`,
        );
      }
    }
  });
}
