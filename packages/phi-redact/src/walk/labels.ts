import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../values.ts";
import { GENERALISED, MASKED, NOTICED, PSEUDONYMISED, REMOVED } from "./context.ts";

/** @see https://terminology.hl7.org/CodeSystem/v3-ObservationValue */
const ALTERATIONS = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/** @see https://terminology.hl7.org/CodeSystem/v3-ActCode */
const ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/** In past tense: what was done, not what is asked for. The last two are for whoever receives a record of 42 CFR Part 2. */
const LABELS: readonly (readonly [bit: number, code: string, system: string])[] = [
  [REMOVED, "REDACTED", ALTERATIONS],
  [MASKED, "MASKED", ALTERATIONS],
  [PSEUDONYMISED, "PSEUDED", ALTERATIONS],
  [GENERALISED, "ABSTRED", ALTERATIONS],
  [NOTICED, "42CFRPart2", ACT_CODE],
  [NOTICED, "NORDSCLCD", ACT_CODE],
];

const coding = (code: string, system: string): JsonObject => Object.freeze({ system, code });
/** For each set of bits, made once: a body is not changed by whoever gets it. */
const BY_EFFECTS: readonly (readonly JsonObject[])[] = Array.from({ length: 32 }, (_, effects) =>
  LABELS.filter(([bit]) => (effects & bit) !== 0).map(([, code, system]) => coding(code, system)),
);
const SUBSETTED: readonly JsonObject[] = [coding("SUBSETTED", ALTERATIONS)];
const NOTHING: readonly JsonObject[] = [];

/**
 * Says in `meta` what was done to a resource, and that it is not whole. Writes to `resource` when it is the walk's own, else
 * to a copy; gives the resource itself when its labels say all of it already.
 *
 * @see https://hl7.org/fhir/R4/security-labels.html
 */
export function label(resource: JsonObject, effects: number, isForeign: boolean): JsonObject {
  const meta = isObject(resource["meta"]) ? resource["meta"] : {};
  const security = withCodes(meta["security"], BY_EFFECTS[effects] ?? NOTHING);
  const tag = withCodes(meta["tag"], (effects & (REMOVED | MASKED)) === 0 ? NOTHING : SUBSETTED);
  if (isForeign && security === meta["security"] && tag === meta["tag"]) return resource;
  // Member by member: an object that was spread takes new members slowly.
  const labelled: JsonObject = {};
  for (const name in meta) labelled[name] = meta[name] as Json;
  if (security !== undefined) labelled["security"] = security;
  if (tag !== undefined) labelled["tag"] = tag;
  const copy = isForeign ? { ...resource } : resource;
  copy["meta"] = labelled;
  return copy;
}

/** A label of ours: it stays whatever the rules say about codings, or a second pass would not know what was done. */
export function isOwnLabel(coding: JsonObject): boolean {
  return coding["system"] === ALTERATIONS && OWN.has(coding["code"]) && Object.keys(coding).length === 2;
}

const OWN: ReadonlySet<unknown> = new Set([
  ...LABELS.filter(([, , system]) => system === ALTERATIONS).map(([, code]) => code),
  "SUBSETTED",
]);

function withCodes(codings: Json | undefined, labels: readonly JsonObject[]): Json | undefined {
  if (!Array.isArray(codings)) return labels.length === 0 ? codings : labels.slice();
  const missing = labels.filter((wanted) => !codings.some((one) => isSame(one, wanted)));
  return missing.length === 0 ? codings : [...codings, ...missing];
}

function isSame(coding: Json, { system, code }: JsonObject): boolean {
  return isObject(coding) && coding["system"] === system && coding["code"] === code;
}

export function isCode(coding: Json, code: string): boolean {
  return isObject(coding) && coding["system"] === ALTERATIONS && coding["code"] === code;
}
