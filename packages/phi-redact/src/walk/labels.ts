import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../values.ts";
import { GENERALISED, MASKED, PSEUDONYMISED, REMOVED } from "./context.ts";

/** @see https://terminology.hl7.org/CodeSystem/v3-ObservationValue */
export const ALTERATIONS = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/** In past tense: what was done, not what is asked for. */
const LABELS: readonly (readonly [bit: number, code: string])[] = [
  [REMOVED, "REDACTED"],
  [MASKED, "MASKED"],
  [PSEUDONYMISED, "PSEUDED"],
  [GENERALISED, "ABSTRED"],
];

/**
 * Says in `meta` what was done to a resource, and that it is not whole.
 *
 * @see https://hl7.org/fhir/R4/security-labels.html
 */
export function label(resource: JsonObject, effects: number): JsonObject {
  if (effects === 0) return resource;
  const meta = isObject(resource["meta"]) ? resource["meta"] : {};
  const codes = LABELS.filter(([bit]) => (effects & bit) !== 0).map(([, code]) => code);
  const security = withCodes(meta["security"], codes);
  const partial = (effects & (REMOVED | MASKED)) !== 0;
  const tag = withCodes(meta["tag"], partial ? ["SUBSETTED"] : []);
  const labelled = { ...meta, ...(security.length > 0 ? { security } : {}), ...(tag.length > 0 ? { tag } : {}) };
  const { resourceType, id, meta: _, ...rest } = resource;
  const head: JsonObject = {
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(id === undefined ? {} : { id }),
    meta: labelled,
  };
  return Object.assign(head, rest);
}

function withCodes(codings: Json | undefined, codes: readonly string[]): Json[] {
  const present = Array.isArray(codings) ? codings : [];
  const missing = codes.filter((code) => !present.some((coding) => isCode(coding, code)));
  return [...present, ...missing.map((code) => ({ system: ALTERATIONS, code }))];
}

export function isCode(coding: Json, code: string): boolean {
  return isObject(coding) && coding["system"] === ALTERATIONS && coding["code"] === code;
}
