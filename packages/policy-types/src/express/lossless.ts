import { randomBytes } from "node:crypto";
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
}

/** `JSON.parse` that remembers. Throws what `JSON.parse` throws. */
export function parseLossless(text: string): LosslessBody {
  if (!hasNumberThatChanges(text)) return { body: JSON.parse(text) as Json, stringify: (body) => JSON.stringify(body) };

  const byValue = new Map<number, string | undefined>();
  const marked = text.replace(STRING_OR_NUMBER, (token, number: string | undefined) =>
    number !== undefined && changes(number) ? `"${MARK_ESCAPED}${number}"` : token,
  );
  const body = JSON.parse(marked, function (this: Holder, key: string, value: unknown) {
    if (typeof value === "number") seen(byValue, value, String(value));
    if (typeof value !== "string" || !value.startsWith(MARK)) return value;
    const source = value.slice(MARK.length);
    seen(byValue, Number(source), source);
    this[SOURCES] = { ...this[SOURCES], [key]: source };
    return Number(source);
  }) as Json;
  return { body, stringify: (changed) => stringifyMarked(changed, byValue) };
}

/**
 * The texts of an object's own numbers, by name. Spread, rest and `Object.assign` carry symbols along, so a copy of the
 * object knows them too; JSON leaves them out.
 */
const SOURCES = Symbol("number sources");
type Holder = { [SOURCES]?: Readonly<Record<string, string>> };

/** For copies that lost their symbols: a value counts as known when the whole text writes it in one way only. */
function seen(byValue: Map<number, string | undefined>, value: number, source: string): void {
  const known = byValue.get(value);
  if (known === undefined && !byValue.has(value)) byValue.set(value, source);
  else if (known !== source) byValue.set(value, undefined);
}

function stringifyMarked(body: Json, byValue: ReadonlyMap<number, string | undefined>): string {
  const marked = JSON.stringify(body, function (this: Holder, key: string, value: unknown) {
    if (typeof value !== "number") return value;
    const source = this[SOURCES]?.[key] ?? byValue.get(value);
    return source === undefined || Number(source) !== value || !changes(source) ? value : MARK + source;
  });
  return marked.replaceAll(MARKED_NUMBER, "$1");
}

function changes(number: string): boolean {
  return String(Number(number)) !== number;
}

/** Looks at every number; a number-like piece of a string only costs the slower way. */
function hasNumberThatChanges(text: string): boolean {
  NUMBER_IN_PLACE.lastIndex = 0;
  for (let match = NUMBER_IN_PLACE.exec(text); match !== null; match = NUMBER_IN_PLACE.exec(text)) {
    if (changes(match[1] ?? "")) return true;
  }
  return false;
}

const NUMBER_IN_PLACE = /[:[,]\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?=[,\]}])/g;
/**
 * A number is taken only whole and in the grammar of RFC 8259 section 6; any other is left for `JSON.parse` to refuse. So is a
 * string that never ends, which is taken to the end of the text: not taken, it would be tried again from each quote in it.
 */
const STRING_OR_NUMBER =
  /"(?:[^"\\]|\\[\s\S])*"?|(?<=^|[\s,:[])(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s,\]}]|$)/g;

/** Unguessable, so that no text can hold a string that reads back as a number. */
const NONCE = randomBytes(12).toString("hex");
const MARK = `\u0000${NONCE}:`;
const MARK_ESCAPED = `\\u0000${NONCE}:`;
const MARKED_NUMBER = new RegExp(`"\\\\u0000${NONCE}:([^"]*)"`, "g");
