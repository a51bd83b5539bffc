import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { isWithin } from "../checks.ts";
import type { ResolveUserAccess } from "./resolve.ts";

export interface UserAccessOptions {
  /** Whose records a user may reach: ids of patients, or `all`. A failure opens nobody's. */
  readonly resolve: ResolveUserAccess;
  /** How long an answer counts, in seconds, 0 to 300: a patient who left care is reachable that much longer. Default 30. */
  readonly cacheSeconds?: number;
  /** How long an answer may take, in milliseconds, at most 10000. Default 2000. */
  readonly deadlineMs?: number;
}

const KNOWN = ["resolve", "cacheSeconds", "deadlineMs"] as const satisfies readonly (keyof UserAccessOptions)[];

export function parseUserAccess(
  found: Findings,
  options: UserAccessOptions,
  path: string,
): Required<UserAccessOptions> | undefined {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must have `resolve`");
    return undefined;
  }
  refuseUnknownKeys(found, options, KNOWN, path);
  const { resolve, cacheSeconds = 30, deadlineMs = 2000 } = options;
  if (typeof resolve !== "function") found.add(join(path, "resolve"), "not-a-function", "must be a function");
  if (!isWithin(cacheSeconds, 0, 300)) {
    found.add(join(path, "cacheSeconds"), "out-of-range", "must be between 0 and 300 seconds");
  }
  if (!isWithin(deadlineMs, 1, 10_000)) {
    found.add(join(path, "deadlineMs"), "out-of-range", "must be between 1 and 10000 milliseconds");
  }
  return Object.freeze({ resolve, cacheSeconds, deadlineMs });
}
