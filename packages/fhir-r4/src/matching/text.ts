import { isRecord, own } from "../element-paths.ts";
import { unescapeValue } from "../request-query.ts";
import { anyOf, atMostUndecided, type Verdict } from "./verdict.ts";

type Comparison = (text: string, wanted: string) => boolean;

const COMPARISONS: ReadonlyMap<string | undefined, Comparison> = new Map<string | undefined, Comparison>([
  [undefined, (text, wanted) => folded(text).startsWith(folded(wanted))],
  ["contains", (text, wanted) => folded(text).includes(folded(wanted))],
  ["exact", (text, wanted) => text === wanted],
]);

/** The parts of a name or an address that a string search looks at; `text` only if the server likes. */
const PARTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["HumanName", ["family", "given", "prefix", "suffix"]],
  ["Address", ["line", "city", "district", "state", "postalCode", "country"]],
]);

/**
 * Compares one element with one string value: from the start, without case and accents; `:contains` anywhere; `:exact`
 * to the letter.
 *
 * @see https://hl7.org/fhir/R4/search.html#string
 */
export function matchText(element: unknown, datatype: string, value: string, modifier: string | undefined): Verdict {
  const compare = COMPARISONS.get(modifier);
  const wanted = unescapeValue(value);
  // A value of accents only folds to nothing, and nothing starts every text.
  if (compare === undefined || wanted === undefined || folded(wanted) === "") return "undecided";
  const parts = PARTS.get(datatype);
  if (parts === undefined) return typeof element === "string" ? compare(element, wanted) : "undecided";
  if (!isRecord(element)) return "undecided";
  const verdict = anyOf(parts, (name) => matchPart(own(element, name), wanted, compare));
  if (verdict !== false) return verdict;
  const text = own(element, "text");
  return text === undefined ? false : atMostUndecided(typeof text !== "string" || compare(text, wanted));
}

function matchPart(part: unknown, wanted: string, compare: Comparison): Verdict {
  if (part === undefined) return false;
  return anyOf(Array.isArray(part) ? (part as readonly unknown[]) : [part], (one) => {
    if (typeof one === "string") return compare(one, wanted);
    return one === null ? false : "undecided"; // null keeps the place of an extension
  });
}

function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
