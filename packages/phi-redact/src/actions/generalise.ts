import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject, textOf } from "../values.ts";

/**
 * First three digits of postal codes whose areas together held 20 000 people or fewer, by the 2000 and 2010 censuses: the
 * union, because a code that is small by either may point to somebody. Replace it when a newer list is due.
 *
 * @see 45 CFR 164.514(b)(2)(i)(B)
 */
export const SMALL_ZIP_AREAS: readonly string[] = Object.freeze(
  "036 059 063 102 202 203 204 205 369 556 692 753 772 790 821 823 830 831 878 879 884 890 893".split(" "),
);

/** The coarser value; undefined when there is none, and the value has to go. */
export interface Coarse {
  readonly type: string;
  readonly name: string;
  readonly now: number;
  readonly smallAreas: ReadonlySet<string>;
}

export function generalise(value: Json, { type, name, now, smallAreas }: Coarse): Json | undefined {
  if (name === "postalCode") return coarsePostalCode(value, smallAreas);
  if (type === "date" || type === "dateTime") return yearOf(value, now);
  if (type === "Age") return coarseAge(value);
  if (type === "Quantity") return mayBeOldAge(value) ? coarseAge(value) : value;
  // An instant is a whole date and time by definition: there is no coarser one.
  return undefined;
}

/** The year, unless it tells that somebody is older than 89. @see 45 CFR 164.514(b)(2)(i)(C) */
function yearOf(value: Json, now: number): string | undefined {
  const year = typeof value === "string" ? /^(\d{4})(?:-|$)/.exec(value)?.[1] : undefined;
  if (year === undefined) return undefined;
  return new Date(now).getUTCFullYear() - Number(year) > OLDEST_AGE ? undefined : year;
}

/** Ages over 89 are one group, 90 or older. */
function coarseAge(value: Json): Json | undefined {
  if (!isObject(value)) return undefined;
  const { value: count, unit, code, comparator } = value;
  if (count === undefined && unit === undefined && code === undefined) return value;
  const perYear = perYearOf(value);
  if (typeof count !== "number" || perYear === undefined) return undefined;
  // 89 and some months are 89.
  if (count < (OLDEST_AGE + 1) * perYear && !textOf(comparator).startsWith(">")) return value;
  if (count === OLDEST_AGE + 1 && comparator === ">=" && code === "a") return value;
  return { value: OLDEST_AGE + 1, comparator: ">=", unit: "years", system: "http://unitsofmeasure.org", code: "a" };
}

/** A quantity in years may be an age, and one in another unit of time where it is as long as nothing else is. */
function mayBeOldAge(value: Json): boolean {
  if (!isObject(value)) return false;
  const { value: count, unit, code } = value;
  if (YEARS.has(textOf(code)) || /^(?:y|yo|yrs?|years?)\b/i.test(textOf(unit).trim())) return true;
  const perYear = perYearOf(value);
  return perYear !== undefined && typeof count === "number" && count >= (OLDEST_AGE + 1) * perYear;
}

function perYearOf({ code, unit }: JsonObject): number | undefined {
  return PER_YEAR.get(typeof code === "string" ? code : textOf(unit).trim().toLowerCase().replace(/s$/, ""));
}

function coarsePostalCode(value: Json, smallAreas: ReadonlySet<string>): string | undefined {
  const area = typeof value === "string" ? /^(\d{3})(?:\d{2}(?:-?\d{4})?)?$/.exec(value)?.[1] : undefined;
  if (area === undefined) return undefined;
  return smallAreas.has(area) ? "000" : area;
}

const OLDEST_AGE = 89;
/** UCUM's years: the mean, Julian, tropical and Gregorian one. @see https://ucum.org/ucum#para-31 */
const YEARS: ReadonlySet<string> = new Set(["a", "a_j", "a_t", "a_g"]);
/** UCUM codes and the usual words. */
const PER_YEAR: ReadonlyMap<string, number> = new Map([
  ...[...YEARS].map((code): [string, number] => [code, 1]),
  ["y", 1],
  ["year", 1],
  ["yr", 1],
  ["mo", 12],
  ["month", 12],
  ["wk", 52],
  ["week", 52],
  ["d", 365],
  ["day", 365],
  ["h", 8760],
  ["hour", 8760],
  ["min", 525_600],
  ["minute", 525_600],
]);
