import type { Verdict } from "./verdict.ts";

/** Half open: `low` belongs to it, `high` does not. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export type Prefix = "eq" | "ne" | "gt" | "lt" | "ge" | "le" | "sa" | "eb" | "ap";

/** Splits `ge2013-01` into its prefix and the rest; without one the prefix is `eq`. */
export function splitPrefix(value: string): { readonly prefix: Prefix; readonly rest: string } {
  const [, prefix, rest = value] = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(.*)$/s.exec(value) ?? [];
  return { prefix: (prefix ?? "eq") as Prefix, rest };
}

/**
 * Compares the range a resource's value stands for with the range of the search value.
 *
 * @see https://hl7.org/fhir/R4/search.html#prefix
 */
export function compareRanges(prefix: Prefix, target: Range, search: Range): Verdict {
  const contained = search.low <= target.low && target.high <= search.high;
  switch (prefix) {
    case "eq":
      return contained;
    case "ne":
      return !contained;
    case "gt":
      return target.high > search.high;
    case "lt":
      return target.low < search.low;
    case "ge":
      return contained || target.high > search.high;
    case "le":
      return contained || target.low < search.low;
    case "sa":
      return target.low >= search.high;
    case "eb":
      return target.high <= search.low;
    case "ap":
      // How near is near, R4 only recommends; what overlaps is near for everyone.
      return target.low < search.high && search.low < target.high ? true : "undecided";
  }
}
