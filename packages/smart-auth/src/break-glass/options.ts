import {
  type Findings,
  INTERACTION_CODES,
  type InteractionCode,
  join,
  refuseUnknownKeys,
} from "@wardline/policy-types";
import { checkBooleans, isWithin } from "../checks.ts";
import { ACR, listOf } from "../conditions/options.ts";

/** What broken glass sets aside; scopes are never among it. */
export type GlassLift = "user-access" | "consent";

/** Who may reach, in an emergency, records of patients who are not theirs. */
export interface BreakGlassOptions {
  /** At least one. */
  readonly roles: readonly string[];
  /** Codes of v3-ActReason that stand for it, in the header and in the token's purpose of use. Default `["BTG"]`. */
  readonly purposes?: readonly string[];
  /** Heed the `Category` header of R4. Default true; false: the token's purpose of use alone. */
  readonly header?: boolean;
  /** The glass mends this long after the last sign-in, in seconds, at most 3600. Default 900. */
  readonly maxAuthAgeSeconds?: number;
  /** How the sign-in must have been, one of these. Default any. */
  readonly acr?: readonly string[];
  /** Default `["user-access"]`. `consent` shows what a patient withheld. */
  readonly lifts?: readonly GlassLift[];
  /** Default reading: read, vread, history-instance, search-type. */
  readonly interactions?: readonly InteractionCode[];
}

export interface BreakGlassSettings {
  readonly roles: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
  readonly header: boolean;
  readonly maxAuthAgeSeconds: number;
  readonly acr?: readonly string[];
  readonly lifts: ReadonlySet<GlassLift>;
  readonly interactions: ReadonlySet<InteractionCode>;
}

const KNOWN = [
  "roles",
  "purposes",
  "header",
  "maxAuthAgeSeconds",
  "acr",
  "lifts",
  "interactions",
] as const satisfies readonly (keyof BreakGlassOptions)[];
const READING: readonly InteractionCode[] = ["read", "vread", "history-instance", "search-type"];
const LONGEST_SECONDS = 3600;

export function parseBreakGlass(
  found: Findings,
  options: BreakGlassOptions,
  path: string,
): BreakGlassSettings | undefined {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must say which roles may break the glass");
    return undefined;
  }
  refuseUnknownKeys(found, options, KNOWN, path);
  checkBooleans(found, options, ["header"], path);
  const at = (key: keyof BreakGlassOptions) => join(path, key);
  const anything = () => true;
  const roles = listOf(found, options.roles, at("roles"), anything);
  if (roles === undefined) found.add(at("roles"), "missing", "name at least one role");
  const purposes = listOf(found, options.purposes ?? ["BTG"], at("purposes"), (code) => /^[A-Z]{2,16}$/.test(code));
  const acr = listOf(found, options.acr, at("acr"), (value) => ACR.test(value));
  const lifts = options.lifts ?? ["user-access"];
  if (!Array.isArray(lifts) || !lifts.every((lift) => lift === "user-access" || lift === "consent")) {
    found.add(at("lifts"), "unknown-value", 'must be of "user-access" and "consent"');
  }
  const known: readonly string[] = INTERACTION_CODES;
  const interactions = listOf(found, options.interactions ?? READING, at("interactions"), (code) =>
    known.includes(code),
  );
  const maxAuthAgeSeconds = options.maxAuthAgeSeconds ?? 900;
  if (!isWithin(maxAuthAgeSeconds, 1, LONGEST_SECONDS)) {
    found.add(at("maxAuthAgeSeconds"), "out-of-range", "must be between 1 and 3600 seconds");
  }
  return Object.freeze({
    roles: new Set(roles),
    purposes: new Set(purposes),
    header: options.header !== false,
    maxAuthAgeSeconds,
    ...(acr === undefined ? {} : { acr }),
    lifts: new Set(Array.isArray(lifts) ? lifts : []),
    interactions: new Set(interactions as readonly InteractionCode[]),
  });
}
