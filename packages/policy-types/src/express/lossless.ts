import { plainlyNamed } from "./json-names.ts";
import { tallyOf } from "./json-tally.ts";
import { findJsonTextFault, lookAtMembers } from "./json-text.ts";
import { writeAroundEntries } from "./kept-entries.ts";
import { markedEverywhere, stringifyMarked, unmarked } from "./number-marks.ts";
import { type Forms, noteSources } from "./number-sources.ts";
import type { Json } from "./transform.ts";

/**
 * FHIR decimals carry their precision: `2.00` is not `2`. When a body has to be serialised again after it was judged,
 * numbers that JavaScript would write differently keep the text they came in with.
 *
 * @see https://hl7.org/fhir/R4/json.html#decimal
 */
export interface LosslessBody {
  readonly body: Json;
  /** Writes `body`, or another value built from parts of it. */
  readonly stringify: (body: Json) => string;
  /** The same, where nobody has changed a part of `body` in place: entries of a Bundle that were kept are copied from the text. */
  readonly rewrite: (body: Json) => string;
  /** Some number is written otherwise than JavaScript would write it, or with an exponent; or a string looks so. */
  readonly hasOwnNumbers: boolean;
  /** Some object of the text has a name twice: then `body` shows the last of the two, and other readers may show the first. */
  readonly repeatsNames: () => boolean;
}

/** `JSON.parse` that remembers. Throws what `JSON.parse` throws. */
export function parseLossless(given: string): LosslessBody {
  const { text, parse } = plainlyNamed(given);
  const body = parse(text) as Json;
  const { names, numbers } = lookAtMembers(text);
  const { members, hasUnnamedNumbers } = tallyOf(body);
  // As many names as members: none was repeated, and nothing within a string was taken for one.
  const isExact = names === members;
  const repeatsNames = () => !isExact && findJsonTextFault(text, Number.POSITIVE_INFINITY) !== undefined;
  const lossless = (read: Json, stringify: (changed: Json) => string, hasOwnNumbers: boolean): LosslessBody => {
    const rewrite = (changed: Json) => (isExact && writeAroundEntries(changed, read, text)) || stringify(changed);
    return { body: read, stringify, rewrite, hasOwnNumbers, repeatsNames };
  };
  if (numbers.length === 0 && !hasUnnamedNumbers) return lossless(body, plainly, false);

  const byValue: Forms = new Map();
  const remembered = (changed: Json) => stringifyMarked(changed, byValue);
  if (isExact && !hasUnnamedNumbers && noteSources(body, { text, numbers, byValue, nth: 0, noted: 0 })) {
    return lossless(body, remembered, true);
  }
  const marked = markedEverywhere(text);
  if (marked === text) return lossless(body, plainly, numbers.length > 0);
  return lossless(unmarked(parse(marked) as Json, byValue), remembered, true);
}

function plainly(body: Json): string {
  return JSON.stringify(body);
}
