import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";

/** The name of a claim, or the way to it through objects: `["realm_access", "roles"]`. */
export type ClaimPath = string | readonly string[];

/** Which claims say what no specification names. What is absent is not read, but for `roles` and `purposeOfUse`. */
export interface ClaimNames {
  readonly organisation?: ClaimPath;
  readonly department?: ClaimPath;
  readonly device?: ClaimPath;
  /** Default `roles` (RFC 9068 section 2.2.3.1). */
  readonly roles?: ClaimPath;
  /** Default `purpose_of_use`. */
  readonly purposeOfUse?: ClaimPath;
  /** Further facts for conditions, by the name conditions use: `{ posture: "device_posture" }`. */
  readonly attributes?: Readonly<Record<string, ClaimPath>>;
}

export interface ClaimNameSettings {
  readonly organisation?: readonly string[];
  readonly department?: readonly string[];
  readonly device?: readonly string[];
  readonly roles: readonly string[];
  readonly purposeOfUse: readonly string[];
  readonly attributes: readonly (readonly [name: string, path: readonly string[]])[];
}

export const DEFAULT_CLAIM_NAMES: ClaimNameSettings = Object.freeze({
  roles: Object.freeze(["roles"]),
  purposeOfUse: Object.freeze(["purpose_of_use"]),
  attributes: Object.freeze([]),
});

const SINGLE = ["organisation", "department", "device"] as const;
const KNOWN = [...SINGLE, "roles", "purposeOfUse", "attributes"] as const satisfies readonly (keyof ClaimNames)[];

export function parseClaimNames(found: Findings, names: ClaimNames, path: string): ClaimNameSettings {
  if (names === null || typeof names !== "object") {
    found.add(path, "not-an-object", "must name claims");
    return DEFAULT_CLAIM_NAMES;
  }
  refuseUnknownKeys(found, names, KNOWN, path);
  const read = (value: ClaimPath | undefined, at: string): readonly string[] | undefined => {
    if (value === undefined) return undefined;
    const steps: readonly unknown[] = typeof value === "string" ? [value] : value;
    if (Array.isArray(steps) && steps.length > 0 && steps.every((step) => typeof step === "string" && step !== "")) {
      return Object.freeze([...(steps as string[])]);
    }
    found.add(at, "not-a-claim", "must be the name of a claim, or a list of names that leads to one");
    return undefined;
  };
  const singles = SINGLE.flatMap((key) => {
    const steps = read(names[key], join(path, key));
    return steps === undefined ? [] : [[key, steps] as const];
  });
  const attributes = Object.entries(names.attributes ?? {}).flatMap(([name, value]) => {
    const steps = read(value, join(join(path, "attributes"), name));
    return steps === undefined ? [] : [[name, steps] as const];
  });
  return Object.freeze({
    ...Object.fromEntries(singles),
    roles: read(names.roles, join(path, "roles")) ?? DEFAULT_CLAIM_NAMES.roles,
    purposeOfUse: read(names.purposeOfUse, join(path, "purposeOfUse")) ?? DEFAULT_CLAIM_NAMES.purposeOfUse,
    attributes: Object.freeze(attributes),
  });
}

/** The claim a path leads to; own members of plain objects only. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const step of path) {
    if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}
