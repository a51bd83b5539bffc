import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../values.ts";
import { GENERALISED, MASKED, PSEUDONYMISED, REMOVED } from "./context.ts";

/** @see https://terminology.hl7.org/CodeSystem/v3-ObservationValue */
const ALTERATIONS = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/** In past tense: what was done, not what is asked for. */
const LABELS: readonly (readonly [bit: number, code: string])[] = [
  [REMOVED, "REDACTED"],
  [MASKED, "MASKED"],
  [PSEUDONYMISED, "PSEUDED"],
  [GENERALISED, "ABSTRED"],
];

const coding = (code: string): JsonObject => Object.freeze({ system: ALTERATIONS, code });
/** For each set of bits, made once: a body is not changed by whoever gets it. */
const BY_EFFECTS: readonly (readonly JsonObject[])[] = Array.from({ length: 16 }, (_, effects) =>
  LABELS.filter(([bit]) => (effects & bit) !== 0).map(([, code]) => coding(code)),
);
const SUBSETTED: readonly JsonObject[] = [coding("SUBSETTED")];
const NOTHING: readonly JsonObject[] = [];

/**
 * Says in `meta` what was done to a resource, and that it is not whole. Writes to `copy`, which is the walk's own.
 *
 * @see https://hl7.org/fhir/R4/security-labels.html
 */
export function label(copy: JsonObject, effects: number): JsonObject {
  const meta = isObject(copy["meta"]) ? copy["meta"] : {};
  const security = withCodes(meta["security"], BY_EFFECTS[effects] ?? NOTHING);
  const tag = withCodes(meta["tag"], (effects & (REMOVED | MASKED)) === 0 ? NOTHING : SUBSETTED);
  // Member by member: an object that was spread takes new members slowly.
  const labelled: JsonObject = {};
  for (const name in meta) labelled[name] = meta[name] as Json;
  if (security !== undefined) labelled["security"] = security;
  if (tag !== undefined) labelled["tag"] = tag;
  copy["meta"] = labelled;
  return copy;
}

/** A label of ours: it stays whatever the rules say about codings, or a second pass would not know what was done. */
export function isOwnLabel(coding: JsonObject): boolean {
  return coding["system"] === ALTERATIONS && OWN.has(coding["code"]) && Object.keys(coding).length === 2;
}

const OWN: ReadonlySet<unknown> = new Set([...LABELS.map(([, code]) => code), "SUBSETTED"]);

function withCodes(codings: Json | undefined, labels: readonly JsonObject[]): Json | undefined {
  if (!Array.isArray(codings)) return labels.length === 0 ? codings : labels.slice();
  const missing = labels.filter(({ code }) => !codings.some((one) => isCode(one, code as string)));
  return missing.length === 0 ? codings : [...codings, ...missing];
}

export function isCode(coding: Json, code: string): boolean {
  return isObject(coding) && coding["system"] === ALTERATIONS && coding["code"] === code;
}
