import { randomBytes } from "node:crypto";
import { endOfString } from "./json-text.ts";
import { changes, type Forms, type Holder, noteSource, SOURCES, seen } from "./number-sources.ts";
import type { Json } from "./transform.ts";

/**
 * Of a text that is JSON: strings are stepped over, and what then looks like a number is one. A pattern that holds whole
 * strings has no room for one of ten megabytes, such as an attachment's.
 */
export function markedEverywhere(text: string): string {
  const pattern = /"|-?\d[\d.eE+-]*/g;
  let marked = "";
  let copied = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    if (found[0] === '"') pattern.lastIndex = endOfString(text, found.index) + 1;
    else {
      marked += text.slice(copied, found.index) + markedToken(found[0]);
      copied = pattern.lastIndex;
    }
  }
  return marked + text.slice(copied);
}

function markedToken(number: string): string {
  return changes(number) ? `"${MARK_ESCAPED}${number}"` : number;
}

/** Puts the numbers back in place, and remembers how they were written. */
export function unmarked(node: Json, byValue: Forms): Json {
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
    noteSource(holder, name, (member as string).slice(MARK.length));
  }
  return node;
}

export function stringifyMarked(body: Json, byValue: Forms): string {
  return JSON.stringify(withMarks(body, byValue)).replaceAll(MARKED_NUMBER, "$1");
}

/** Copies what holds a number of the text's own, and nothing else. */
function withMarks(node: Json, byValue: Forms): Json {
  if (typeof node === "number") return asMarked(node, byValue.get(node));
  if (node === null || typeof node !== "object") return node;
  return Array.isArray(node) ? itemsWithMarks(node, byValue) : membersWithMarks(node, byValue);
}

function itemsWithMarks(items: Json[] & Pick<Holder, typeof SOURCES>, byValue: Forms): Json[] {
  const sources = items[SOURCES];
  let copy: Json[] | undefined;
  for (let at = 0; at < items.length; at++) {
    const item = items[at] as Json;
    const value = markedMember(item, sources?.[at], byValue);
    if (value === item) continue;
    copy ??= items.slice();
    copy[at] = value;
  }
  return copy ?? items;
}

function membersWithMarks(holder: Holder, byValue: Forms): Holder {
  const sources = holder[SOURCES];
  let copy: Holder | undefined;
  for (const name in holder) {
    const member = holder[name] as Json;
    if (typeof member === "string") continue;
    const value = markedMember(member, sources?.[name], byValue);
    if (value === member) continue;
    copy ??= { ...holder };
    copy[name] = value;
  }
  return copy ?? holder;
}

function markedMember(member: Json, source: string | undefined, byValue: Forms): Json {
  return source === undefined || typeof member !== "number" ? withMarks(member, byValue) : asMarked(member, source);
}

function asMarked(number: number, source: string | undefined): Json {
  return source === undefined || Number(source) !== number || !changes(source) ? number : MARK + source;
}

/** Unguessable, so that no text can hold a string that reads back as a number. */
const NONCE = randomBytes(12).toString("hex");
const MARK = `\u0000${NONCE}:`;
const MARK_ESCAPED = `\\u0000${NONCE}:`;
const MARKED_NUMBER = new RegExp(`"\\\\u0000${NONCE}:([^"]*)"`, "g");
