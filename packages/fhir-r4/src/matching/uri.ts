import { unescapeValue } from "../request-query.ts";
import { atMostUndecided, type Verdict } from "./verdict.ts";

/**
 * Compares one uri, url or canonical with one value: to the letter; `:below` for what lies under it, `:above` for what
 * it lies under, both by whole path segments.
 *
 * @see https://hl7.org/fhir/R4/search.html#uri
 */
export function matchUri(element: unknown, datatype: string, value: string, modifier: string | undefined): Verdict {
  const wanted = unescapeValue(value);
  if (typeof element !== "string" || wanted === undefined || wanted === "") return "undecided";
  if (element === wanted) return true;
  if (modifier === "below") return isUnder(element, wanted);
  if (modifier === "above") return isUnder(wanted, element);
  if (modifier !== undefined) return "undecided";
  // A canonical may carry a version after "|"; whether a search without it should find it, R4 does not say for uri.
  return datatype === "canonical" ? atMostUndecided(withoutVersion(element) === withoutVersion(wanted)) : false;
}

function isUnder(uri: string, base: string): Verdict {
  if (/^urn:/i.test(base)) return "undecided";
  if (!uri.startsWith(base)) return false;
  return base.endsWith("/") || uri[base.length] === "/" ? true : "undecided";
}

export function withoutVersion(canonical: string): string {
  const bar = canonical.indexOf("|");
  return bar < 0 ? canonical : canonical.slice(0, bar);
}
