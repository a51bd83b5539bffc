import type { Json } from "@wardline/policy-types/express";
import { isObject } from "../resource.ts";

/** The reference tokens of a JSON Pointer, unescaped; `undefined` when it is none. @see https://www.rfc-editor.org/rfc/rfc6901 */
export function parsePointer(text: unknown): readonly string[] | undefined {
  if (typeof text !== "string" || (text !== "" && !text.startsWith("/"))) return undefined;
  if (/~(?![01])/.test(text)) return undefined;
  const tokens = text.split("/").slice(1);
  // A server that reads a prototype's name as a member would do something else than is judged here.
  if (tokens.some((token) => FORBIDDEN.has(token))) return undefined;
  return tokens.map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
const INDEX = /^(?:0|[1-9]\d{0,5})$/;

/** The value at a place; `undefined` when there is none, since JSON has no such value. */
export function valueAt(document: Json, tokens: readonly string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const token of tokens) value = value === undefined ? undefined : memberOf(value, token);
  return value;
}

function memberOf(value: Json, token: string): Json | undefined {
  if (Array.isArray(value)) return INDEX.test(token) ? value[Number(token)] : undefined;
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}

/** RFC 6902 section 4.1: the position of an `add`, which may be one past the end, written as its number or as `-`. */
export function insertionIndex(list: readonly Json[], token: string): number | undefined {
  if (token === "-") return list.length;
  return INDEX.test(token) && Number(token) <= list.length ? Number(token) : undefined;
}
