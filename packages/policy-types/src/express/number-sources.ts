import type { NumberText } from "./json-text.ts";
import type { Json } from "./transform.ts";

/**
 * The texts of an object's own numbers, by name. Spread, rest and `Object.assign` carry symbols along, so a copy of the
 * object knows them too; JSON leaves them out.
 */
export const SOURCES: unique symbol = Symbol("number sources");
export type Holder = Record<string, Json> & { [SOURCES]?: Record<string, string> };

/** How each value is written in a text; `undefined` for one that is written in several ways. */
export type Forms = Map<number, string | undefined>;

/** How far a walk over all members in the order of the text has come. */
interface Reading {
  readonly text: string;
  readonly numbers: readonly NumberText[];
  readonly byValue: Forms;
  /** Numbers it has met. */
  nth: number;
  /** Those of them that are in `numbers`. */
  noted: number;
}

/**
 * Notes at each object how its numbers are written. False, with some of them noted, where members do not come in the order of the
 * text: names that are whole numbers come first.
 */
export function noteSources(node: Json, reading: Reading): boolean {
  if (node === null || typeof node !== "object") return true;
  if (Array.isArray(node)) {
    for (let at = 0; at < node.length; at++) if (!noteSources(node[at] as Json, reading)) return false;
    return true;
  }
  const holder = node as Holder;
  for (const name in holder) {
    const member = holder[name] as Json;
    if (isDigit(name.charCodeAt(0))) return false;
    if (typeof member === "number") noteNumber(holder, name, member, reading);
    else if (!noteSources(member, reading)) return false;
  }
  return true;
}

function noteNumber(holder: Holder, name: string, value: number, reading: Reading): void {
  const own = reading.numbers[reading.noted];
  const isOwn = own?.nth === reading.nth++;
  const source = isOwn ? reading.text.slice(own.start, own.end) : String(value);
  seen(reading.byValue, value, source);
  if (!isOwn) return;
  noteSource(holder, name, source);
  reading.noted++;
}

export function noteSource(holder: Holder, name: string, source: string): void {
  holder[SOURCES] ??= Object.create(null) as Record<string, string>;
  holder[SOURCES][name] = source;
}

/** For copies that lost their symbols: a value counts as known when the whole text writes it in one way only. */
export function seen(byValue: Forms, value: number, source: string): void {
  const known = byValue.get(value);
  if (known === undefined && !byValue.has(value)) byValue.set(value, source);
  else if (known !== source) byValue.set(value, undefined);
}

/** Would JavaScript write it otherwise? */
export function changes(number: string): boolean {
  return String(Number(number)) !== number;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
