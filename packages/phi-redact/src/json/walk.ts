import { type Json, readJson } from "@wardline/policy-types/express";
import type { Pseudonymiser } from "../actions/pseudonym.ts";
import { isObject, type JsonObject } from "../values.ts";
import type { JsonPathRule } from "./rules.ts";

/** A rule, and how many of its steps have been taken. */
interface Cursor {
  readonly rule: JsonPathRule;
  readonly taken: number;
}

/**
 * Applies rules to plain JSON in one walk, copying what it changes. JSON inside strings is walked too (S11).
 *
 * Gives the value itself when nothing changes.
 */
export function redactJson(
  value: Json,
  rules: readonly JsonPathRule[],
  pseudonymiser: Pseudonymiser | undefined,
): Json {
  const start = rules.map((rule) => ({ rule, taken: 0 }));
  return walk(value, start, pseudonymiser, MAX_NESTED_TEXT);
}

/** JSON in a string in a string … */
const MAX_NESTED_TEXT = 8;

function walk(value: Json, cursors: readonly Cursor[], tokens: Pseudonymiser | undefined, texts: number): Json {
  if (cursors.length === 0) return value;
  if (typeof value === "string") return walkText(value, cursors, tokens, texts);
  if (Array.isArray(value)) {
    const after = value.map((item) => walk(item, cursors, tokens, texts));
    return after.some((item, index) => item !== value[index]) ? after : value;
  }
  if (!isObject(value)) return value;
  let copy: JsonObject | undefined;
  for (const name of Object.keys(value)) {
    const before = value[name] as Json;
    const { done, next } = advance(cursors, name.toLowerCase());
    const after = done === undefined ? walk(before, next, tokens, texts) : act(before, done, name, tokens);
    if (after === before) continue;
    copy ??= { ...value };
    if (after === undefined) delete copy[name];
    // `__proto__` is an ordinary name in JSON.
    else Object.defineProperty(copy, name, { value: after, enumerable: true, configurable: true, writable: true });
  }
  return copy ?? value;
}

function walkText(value: string, cursors: readonly Cursor[], tokens: Pseudonymiser | undefined, texts: number): Json {
  if (texts === 0 || !/^\s*["{[]/.test(value)) return value;
  let parsed: Json;
  try {
    parsed = readJson(value) as Json;
  } catch {
    return value;
  }
  const after = walk(parsed, cursors, tokens, texts - 1);
  return after === parsed && !hidesMembers(value, parsed) ? value : JSON.stringify(after);
}

/** RFC 8259 section 4: readers differ on which of two members of one name counts, and only one of them was judged. */
function hidesMembers(text: string, parsed: Json): boolean {
  let names = 0;
  for (const [token] of text.matchAll(STRING)) if (token.endsWith(":")) names++;
  return names > membersOf(parsed);
}

/** With the colon that makes it a name. */
const STRING = /"(?:[^"\\]|\\.)*"\s*:?/g;

function membersOf(value: Json): number {
  if (value === null || typeof value !== "object") return 0;
  const below: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
  return below.reduce<number>((sum, one) => sum + membersOf(one), Array.isArray(value) ? 0 : below.length);
}

/** The first rule that ends here, and the rules that go on below. */
function advance(
  cursors: readonly Cursor[],
  name: string,
): { readonly done: JsonPathRule | undefined; readonly next: readonly Cursor[] } {
  let done: JsonPathRule | undefined;
  const next: Cursor[] = [];
  for (const cursor of cursors) {
    const step = cursor.rule.steps[cursor.taken];
    if (step === undefined) continue;
    if (step.deep) next.push(cursor);
    if (step.name !== "*" && step.name !== name) continue;
    if (cursor.taken + 1 === cursor.rule.steps.length) done ??= cursor.rule;
    else next.push({ rule: cursor.rule, taken: cursor.taken + 1 });
  }
  return { done, next };
}

function act(value: Json, { action }: JsonPathRule, name: string, tokens: Pseudonymiser | undefined): Json | undefined {
  if (action === "remove") return undefined;
  if (action === "mask") return value === MASK || value === null ? value : MASK;
  if (action !== "pseudonymise")
    return JSON.stringify(value) === JSON.stringify(action.replace) ? value : structuredClone(action.replace);
  if (tokens === undefined) throw new TypeError("a rule pseudonymises, and there are no keys");
  if (value === null) return value;
  if (Array.isArray(value)) {
    const after = value.map((item) => act(item, { steps: [], action }, name, tokens) ?? null);
    return after.some((item, index) => item !== value[index]) ? after : value;
  }
  return tokens.pseudonymOf(`json:${name.toLowerCase()}`, typeof value === "string" ? value : JSON.stringify(value));
}

const MASK = "****";
