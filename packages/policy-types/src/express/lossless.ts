import { randomBytes } from "node:crypto";
import { plainlyNamed } from "./json-names.ts";
import { tallyOf } from "./json-tally.ts";
import { endOfString, findJsonTextFault, lookAtMembers } from "./json-text.ts";
import { writeAroundEntries } from "./kept-entries.ts";
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
  const hasOwnNumbers = numbers.length > 0;
  const read = (read: Json, stringify: (changed: Json) => string, hasOwn: boolean): LosslessBody => {
    const rewrite = (changed: Json) => (isExact && writeAroundEntries(changed, read, text)) || stringify(changed);
    return { body: read, stringify, rewrite, hasOwnNumbers: hasOwn, repeatsNames };
  };
  if (!hasOwnNumbers && !hasUnnamedNumbers) return read(body, plainly, hasOwnNumbers);

  const marked = isExact && !hasUnnamedNumbers ? markedAt(text, numbers) : markedEverywhere(text);
  if (marked === text) return read(body, plainly, hasOwnNumbers);
  const byValue = new Map<number, string | undefined>();
  const remembering = unmarked(parse(marked) as Json, byValue);
  return read(remembering, (changed) => stringifyMarked(changed, byValue), true);
}

function plainly(body: Json): string {
  return JSON.stringify(body);
}

/** @param numbers where each begins and ends */
function markedAt(text: string, numbers: readonly number[]): string {
  let marked = "";
  let copied = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const start = numbers[at] ?? 0;
    const end = numbers[at + 1] ?? start;
    marked += text.slice(copied, start) + markedToken(text.slice(start, end));
    copied = end;
  }
  return marked + text.slice(copied);
}

/**
 * Of a text that is JSON: strings are stepped over, and what then looks like a number is one. A pattern that holds whole
 * strings has no room for one of ten megabytes, such as an attachment's.
 */
function markedEverywhere(text: string): string {
  const pattern = /"|-?\d[\d.eE+-]*/g;
  const numbers: number[] = [];
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    if (found[0] === '"') pattern.lastIndex = endOfString(text, found.index) + 1;
    else numbers.push(found.index, pattern.lastIndex);
  }
  return markedAt(text, numbers);
}

function markedToken(number: string): string {
  return changes(number) ? `"${MARK_ESCAPED}${number}"` : number;
}

function changes(number: string): boolean {
  return String(Number(number)) !== number;
}

/**
 * The texts of an object's own numbers, by name. Spread, rest and `Object.assign` carry symbols along, so a copy of the
 * object knows them too; JSON leaves them out.
 */
const SOURCES = Symbol("number sources");
type Holder = Record<string, Json> & { [SOURCES]?: Record<string, string> };

/** Puts the numbers back in place, and remembers how they were written. */
function unmarked(node: Json, byValue: Map<number, string | undefined>): Json {
  if (typeof node === "number") {
    seen(byValue, node, String(node));
    return node;
  }
  if (typeof node === "string") {
    if (!node.startsWith(MARK)) return node;
    const source = node.slice(MARK.length);
    seen(byValue, Number(source), source);
    return Number(source);
  }
  if (node === null || typeof node !== "object") return node;
  const holder = node as Holder;
  for (const name of Object.keys(holder)) {
    const member = holder[name] as Json;
    if (typeof member === "boolean") continue;
    const value = unmarked(member, byValue);
    if (value === member) continue;
    holder[name] = value;
    holder[SOURCES] ??= Object.create(null) as Record<string, string>;
    holder[SOURCES][name] = (member as string).slice(MARK.length);
  }
  return node;
}

/** For copies that lost their symbols: a value counts as known when the whole text writes it in one way only. */
function seen(byValue: Map<number, string | undefined>, value: number, source: string): void {
  const known = byValue.get(value);
  if (known === undefined && !byValue.has(value)) byValue.set(value, source);
  else if (known !== source) byValue.set(value, undefined);
}

function stringifyMarked(body: Json, byValue: ReadonlyMap<number, string | undefined>): string {
  return JSON.stringify(withMarks(body, byValue)).replaceAll(MARKED_NUMBER, "$1");
}

/** Copies what holds a number of the text's own, and nothing else. */
function withMarks(node: Json, byValue: ReadonlyMap<number, string | undefined>): Json {
  if (typeof node === "number") return asMarked(node, byValue.get(node));
  if (node === null || typeof node !== "object") return node;
  const holder = node as Holder;
  const sources = holder[SOURCES];
  let copy: Holder | undefined;
  for (const name of Object.keys(holder)) {
    const member = holder[name] as Json;
    if (typeof member === "string") continue;
    const source = typeof member === "number" ? sources?.[name] : undefined;
    const value = source === undefined ? withMarks(member, byValue) : asMarked(member as number, source);
    if (value === member) continue;
    copy ??= (Array.isArray(node) ? [...(node as Json[])] : { ...holder }) as Holder;
    copy[name] = value;
  }
  return (copy as Json | undefined) ?? node;
}

function asMarked(number: number, source: string | undefined): Json {
  return source === undefined || Number(source) !== number || !changes(source) ? number : MARK + source;
}

/** Unguessable, so that no text can hold a string that reads back as a number. */
const NONCE = randomBytes(12).toString("hex");
const MARK = `\u0000${NONCE}:`;
const MARK_ESCAPED = `\\u0000${NONCE}:`;
const MARKED_NUMBER = new RegExp(`"\\\\u0000${NONCE}:([^"]*)"`, "g");
