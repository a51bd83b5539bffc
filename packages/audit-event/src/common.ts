import { constant } from "./json-text.ts";

const MOST_KEPT = 500;
const LONGEST_KEPT = 1_000;

/**
 * Gives what `make` makes of a text, made and written once for as long as there are few of them: methods, zones, purposes.
 * Where there turn out to be many, or one is long, it is made each time.
 */
export function common<Part extends object>(make: (text: string) => Part): (text: string) => Part {
  const kept = new Map<string, Part>();

  return function commonPart(text) {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    if (kept.size < MOST_KEPT && text.length <= LONGEST_KEPT) kept.set(text, constant(made));
    return made;
  };
}
