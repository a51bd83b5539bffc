import type { Json } from "@wardline/policy-types/express";
import { DATA_ABSENT_REASON, ENCRYPTED_FIELD } from "../encrypt/field.ts";
import { isObject, type JsonObject } from "../values.ts";

/**
 * Says that a value was there. Made anew each time: bodies belong to whoever gets them.
 *
 * @see https://hl7.org/fhir/R4/extension-data-absent-reason.html
 */
export function maskedElement(): JsonObject {
  return { extension: [{ url: DATA_ABSENT_REASON, valueCode: "masked" }] };
}

/** Holds nothing but why there is no value, or a ciphertext: nothing is left to protect. */
export function isSpent(value: Json | undefined): boolean {
  if (!isObject(value)) return false;
  const { extension } = value;
  if (!Array.isArray(extension) || extension.length === 0) return false;
  for (const name in value) if (name !== "extension") return false;
  return extension.every(isMarker);
}

/** An extension that says why a value is absent, or holds its ciphertext: never removed. */
export function isMarker(extension: Json): boolean {
  if (!isObject(extension)) return false;
  const { url, valueCode, valueString } = extension;
  if (url !== DATA_ABSENT_REASON && url !== ENCRYPTED_FIELD) return false;
  if (Object.keys(extension).length !== 2) return false;
  if (url === DATA_ABSENT_REASON) return typeof valueCode === "string" && REASONS.has(valueCode);
  return typeof valueString === "string" && CIPHERTEXT.test(valueString);
}

/** @see https://hl7.org/fhir/R4/codesystem-data-absent-reason.html */
const REASONS: ReadonlySet<string> = new Set(
  "unknown asked-unknown temp-unknown not-asked asked-declined masked not-applicable unsupported as-text error not-a-number negative-infinity positive-infinity not-performed not-permitted".split(
    " ",
  ),
);
const CIPHERTEXT = /^w1(?:\.[A-Za-z0-9_-]+){3}$/;
