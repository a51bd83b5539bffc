import { compareRanges, type Prefix, type Range, splitPrefix } from "./ranges.ts";
import type { Verdict } from "./verdict.ts";

/** Digits beyond this are no measurement; the bound keeps the arithmetic cheap. */
const MAX_LENGTH = 40;
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Compares one number with one number value. `100` stands for everything that rounds to it, [99.5, 100.5); with an order
 * prefix a number is exact. The resource's own number counts as exact, since JSON parsers drop its precision.
 *
 * @see https://hl7.org/fhir/R4/search.html#number
 */
export function matchNumber(element: unknown, value: string): Verdict {
  const { prefix, rest } = splitPrefix(value);
  const parsed = parseDecimal(rest);
  if (typeof element !== "number" || !Number.isFinite(element) || parsed === undefined) return "undecided";
  return compareNumber(prefix, element, parsed);
}

export interface ImpliedRange extends Range {
  readonly exact: number;
}

export function compareNumber(prefix: Prefix, target: number, search: ImpliedRange): Verdict {
  // With all the digits a double has, the bounds of the range round to the number itself.
  const within = target === search.exact || (search.low <= target && target < search.high);
  if (prefix === "eq") return within;
  if (prefix === "ne") return !within;
  if (prefix === "ap") return within ? true : "undecided";
  if (prefix === "ge") return target >= search.exact;
  if (prefix === "le") return target <= search.exact;
  if (prefix === "sa") return target > search.exact;
  if (prefix === "eb") return target < search.exact;
  return compareRanges(prefix, { low: target, high: target }, { low: search.exact, high: search.exact });
}

/** The number and the range its written precision stands for; exact decimal arithmetic until the last step. */
export function parseDecimal(text: string): ImpliedRange | undefined {
  const [match, sign, whole = "", fraction = "", exponent = "0"] =
    text.length > MAX_LENGTH ? [] : (DECIMAL.exec(text) ?? []);
  if (match === undefined) return undefined;
  const unit = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const low = Number(`${digits * 10n - 5n}e${unit - 1}`);
  const high = Number(`${digits * 10n + 5n}e${unit - 1}`);
  const exact = Number(match);
  return [low, high, exact].every(Number.isFinite) ? { low, high, exact } : undefined;
}
