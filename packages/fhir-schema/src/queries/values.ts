import { isResourceType } from "@wardline/fhir-r4";
import type { SearchParameterType } from "@wardline/policy-types";
import { isDate } from "./dates.ts";
import { hasControlCharacter, hasLegalEscapes, isTrimmed, isUri, splitValue } from "./text.ts";

/** What a value is checked as. */
export interface ValueShape {
  readonly type: SearchParameterType;
  readonly modifier?: string | undefined;
  /** Types of a composite's parts, in order. */
  readonly components?: readonly SearchParameterType[] | undefined;
  /** The element is a boolean, whatever its parameter's type says. */
  readonly isBoolean?: boolean;
}

/**
 * Why one value, split from its comma list and still escaped, is not of its parameter's grammar: a fixed sentence.
 * Undefined when it is. Does NOT know which codes, units or references exist.
 *
 * @see https://hl7.org/fhir/R4/search.html#ptypes
 */
export function valueFault(value: string, shape: ValueShape): string | undefined {
  if (value === "") return "A value is empty.";
  if (hasControlCharacter(value)) return "A value holds a control character.";
  if (!hasLegalEscapes(value)) return "A backslash may escape only a comma, a bar, a dollar sign or a backslash.";
  return modifiedFault(value, shape);
}

function modifiedFault(value: string, shape: ValueShape): string | undefined {
  const { type, modifier } = shape;
  switch (modifier) {
    case undefined:
      return plainFault(value, shape);
    case "missing":
      return isBoolean(value) ? undefined : "The modifier :missing takes true or false.";
    case "text":
    case "exact":
    case "contains":
      return undefined;
    case "in":
    case "not-in":
      return isUri(value) ? undefined : "The value is not a URI.";
    case "of-type":
    case "ofType":
      return isOfType(value)
        ? undefined
        : "The modifier :of-type takes a system, a code and a value, separated by bars.";
    case "identifier":
      return isToken(value) ? undefined : NOT_A_TOKEN;
    default:
      return type === "reference" && isResourceType(modifier)
        ? refuseUnless(ID.test(value) || isReference(value), NOT_A_REFERENCE)
        : plainFault(value, shape);
  }
}

function plainFault(value: string, { type, components, isBoolean: wantsBoolean }: ValueShape): string | undefined {
  switch (type) {
    case "number":
      return refuseUnless(isNumber(value), "The value is not a number, or its prefix is none.");
    case "date":
      return refuseUnless(isDateValue(value), "The value is not a date of the calendar, or its prefix is none.");
    case "quantity":
      return refuseUnless(isQuantity(value), "The value is not a quantity: a number, or number|system|code.");
    case "token":
      if (wantsBoolean === true && !isBoolean(value)) return "The value is neither true nor false.";
      return refuseUnless(isToken(value), NOT_A_TOKEN);
    case "reference":
      return refuseUnless(isReference(value), NOT_A_REFERENCE);
    case "uri":
      return refuseUnless(isUri(value), "The value is not a URI.");
    case "composite":
      return compositeFault(value, components);
    case "string":
    case "special":
      return undefined;
  }
}

function refuseUnless(good: boolean, sentence: string): string | undefined {
  return good ? undefined : sentence;
}

const NOT_A_TOKEN = "The value is not a token: code, system|code, |code or system|.";
const NOT_A_REFERENCE = "The value is not a reference: an id, Type/id or an absolute URL.";

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
/** Longer numbers are no measurement, and cost whoever computes with them. */
const MAX_NUMBER_LENGTH = 40;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/;
const PREFIX = /^(?:eq|ne|gt|lt|ge|le|sa|eb|ap)/;

function withoutPrefix(value: string): string {
  return PREFIX.test(value) ? value.slice(2) : value;
}

function isBoolean(value: string): boolean {
  return value === "true" || value === "false";
}

function isNumber(value: string): boolean {
  const number = withoutPrefix(value);
  return number.length <= MAX_NUMBER_LENGTH && DECIMAL.test(number);
}

function isDateValue(value: string): boolean {
  return isDate(withoutPrefix(value));
}

function isQuantity(value: string): boolean {
  const [number = "", system = "", code = "", ...more] = splitValue(value, "|");
  if (!isNumber(number) || more.length > 0) return false;
  return value === number || (isTrimmed(code) && (system === "" || isUri(system)));
}

function isToken(value: string): boolean {
  const [first = "", second, ...more] = splitValue(value, "|");
  if (more.length > 0) return false;
  if (second === undefined) return isTrimmed(first);
  if (first === "" || second === "") return isTrimmed(second) || isUri(first);
  return isUri(first) && isTrimmed(second);
}

function isOfType(value: string): boolean {
  const [system = "", code = "", text = "", ...more] = splitValue(value, "|");
  return isUri(system) && isTrimmed(code) && isTrimmed(text) && more.length === 0;
}

const LITERAL = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+\-.]*:[^\s]+$/;

/** A canonical may carry a version: `http://example.org/vs|2`. */
function isReference(value: string): boolean {
  if (ID.test(value)) return true;
  const [, type] = LITERAL.exec(value) ?? [];
  if (type !== undefined) return isResourceType(type);
  const [url = "", version, ...more] = splitValue(value, "|");
  return ABSOLUTE.test(url) && more.length === 0 && (version === undefined || isTrimmed(version));
}

function compositeFault(value: string, components: readonly SearchParameterType[] | undefined): string | undefined {
  if (components === undefined) return "The composite parameter's parts are not defined for these types.";
  const parts = splitValue(value, "$");
  if (parts.length !== components.length)
    return "A composite value joins its parts by dollar signs, one for each part.";
  for (const [index, type] of components.entries()) {
    const part = parts[index] ?? "";
    if (part === "" || plainFault(part, { type }) !== undefined) return "A part of the composite value is malformed.";
  }
  return undefined;
}
