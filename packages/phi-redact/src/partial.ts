import type { Interaction } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { DATA_ABSENT_REASON, ENCRYPTED_FIELD } from "./encrypt/field.ts";
import { isObject, type JsonObject } from "./values.ts";
import { isCode } from "./walk/labels.ts";

const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "batch", "transaction"]);
/** @see https://terminology.hl7.org/CodeSystem/v3-ObservationValue */
const PARTIAL: readonly string[] = ["REDACTED", "MASKED", "PSEUDED", "ABSTRED", "SUBSETTED"];
const READS_PATCHED: ReadonlySet<unknown> = new Set(["test", "copy", "move"]);

export function writes({ code }: Interaction): boolean {
  return WRITES.has(code);
}

/**
 * Does a body hold what redaction left, in any of its resources or patched values? Written back as whole it would destroy
 * what was left out.
 *
 * @see https://hl7.org/fhir/R4/search.html#elements
 */
export function isPartial(body: Json): boolean {
  if (Array.isArray(body)) return body.some(isPartial);
  if (!isObject(body)) return false;
  if (isObject(body["meta"]) && hasLabel(body["meta"])) return true;
  if (body["url"] === ENCRYPTED_FIELD) return true;
  if (body["url"] === DATA_ABSENT_REASON && body["valueCode"] === "masked") return true;
  return Object.values(body).some((value) => typeof value === "object" && value !== null && isPartial(value));
}

function hasLabel({ security, tag }: JsonObject): boolean {
  return [security, tag].some(
    (codings) => Array.isArray(codings) && codings.some((coding) => PARTIAL.some((code) => isCode(coding, code))),
  );
}

/**
 * A JSON Patch that tests a value, or copies or moves one to where it can be read. A FHIRPath Patch can say `move`, and
 * conditions in its paths.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902#section-4
 */
export function readsPatched(body: Json): boolean {
  if (Array.isArray(body)) return body.some((operation) => !isObject(operation) || READS_PATCHED.has(operation["op"]));
  return isObject(body) && /"(?:valueCode"\s*:\s*"move|valueString"\s*:\s*"[^"]*[(=~<>])/.test(JSON.stringify(body));
}
