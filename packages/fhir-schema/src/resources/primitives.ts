import { isResourceType, parseReference } from "@wardline/fhir-r4";
import { isDate, isDateTime, isInstant, isTime } from "./dates.ts";
import { isNarrative } from "./narrative.ts";

/** How a primitive looks in JSON, and what its text or number must satisfy. Every check is linear in the text's length. */
export type Primitive =
  | { readonly json: "boolean" }
  | { readonly json: "number"; readonly check: (value: number) => boolean }
  | { readonly json: "string"; readonly check: (value: string) => boolean };

// Looking for what must not be there needs no backtracking, however long the text.
const BLANK = /\s/;
const MISPLACED_BLANK = /^\s|\s\s|\s$/;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/;
const UUID = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INT32 = 2 ** 31;

const text = (check: (value: string) => boolean): Primitive => ({ json: "string", check });
const matching = (pattern: RegExp): Primitive => text((value) => pattern.test(value));
const without = (pattern: RegExp): Primitive => text((value) => value !== "" && !pattern.test(value));
const whole = (least: number): Primitive => ({
  json: "number",
  check: (value: number) => Number.isInteger(value) && value >= least && value < INT32,
});

/** By name. `reference` is ours: the text of `Reference.reference`. */
export const PRIMITIVES: ReadonlyMap<string, Primitive> = new Map<string, Primitive>([
  ["boolean", { json: "boolean" }],
  ["decimal", { json: "number", check: (value: number) => Number.isFinite(value) }],
  ["integer", whole(-INT32)],
  ["unsignedInt", whole(0)],
  ["positiveInt", whole(1)],
  ["string", text(isText)],
  ["markdown", text(isText)],
  ["code", without(MISPLACED_BLANK)],
  ["uri", without(BLANK)],
  ["url", without(BLANK)],
  ["canonical", without(BLANK)],
  ["id", matching(ID)],
  ["oid", matching(OID)],
  ["uuid", matching(UUID)],
  ["date", text(isDate)],
  ["dateTime", text(isDateTime)],
  ["instant", text(isInstant)],
  ["time", text(isTime)],
  ["base64Binary", text(isBase64)],
  ["xhtml", text(isNarrative)],
  ["reference", text(isReference)],
]);

/** A literal, contained, absolute or URN reference; `#` for the container; or the conditional reference of a transaction. */
function isReference(value: string): boolean {
  if (parseReference(value).kind !== "invalid" || value === "#") return true;
  const query = value.indexOf("?");
  return query > 0 && query < value.length - 1 && isResourceType(value.slice(0, query)) && !BLANK.test(value);
}

/** Not empty, and of the control characters only tab, line feed and carriage return (R4, datatypes.html#string). */
function isText(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return false;
  }
  return value !== "";
}

/** Base64 in groups of four, padding only at the end; blanks may stand anywhere (R4 allows them between groups). */
function isBase64(value: string): boolean {
  let digits = 0;
  let padding = 0;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) continue;
    if (code === 0x3d) padding++;
    else if (padding > 0 || !isBase64Digit(code)) return false;
    digits++;
  }
  return digits > 0 && digits % 4 === 0 && padding <= 2;
}

function isBase64Digit(code: number): boolean {
  if (code >= 0x61) return code <= 0x7a;
  if (code >= 0x41) return code <= 0x5a;
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2f;
}
