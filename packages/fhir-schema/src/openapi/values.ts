import type { Parameter, Shape } from "./parameters.ts";
import { hasControl } from "./paths.ts";

/** What a parameter's text stands for; `undefined` when the text is not written as declared. */
export type ReadValue = { readonly value: unknown } | undefined;

/** Whether the parameter, if it is an object, is written as its properties, each on its own. */
export function isSpread({ style, explode }: Parameter): boolean {
  return style === "deepObject" || (style === "form" && explode);
}

/**
 * Reads the texts of one parameter, still encoded. Of an exploded list or object there
 * may be several texts; of anything else there is one.
 *
 * An encoded comma in a list that is separated by commas is refused: backends differ on whether it separates (A12). Lists
 * that are separated by spaces or pipes have no other than encoded ones, and `+` for a space.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html#style-values
 */
export function readValue(texts: readonly string[], parameter: Parameter, decode: Decode): ReadValue {
  const { shape, explode } = parameter;
  const [text = ""] = texts;
  if (shape.kind === "list" && explode && parameter.style === "form") return listOf(texts, shape, decode);
  if (texts.length !== 1) return undefined;
  switch (shape.kind) {
    case "one": {
      const decoded = decode(text);
      return decoded === undefined ? undefined : { value: coerced(decoded, shape.types) };
    }
    case "list":
      return separated(text, parameter, shape, decode);
    case "object":
      return objectOf(text, parameter, shape, decode);
  }
}

/** Undoes the percent-encoding of a place; `undefined` for what cannot be decoded or holds a control character. */
export type Decode = (text: string) => string | undefined;

export const decodePath: Decode = (text) => decoded(text);
export const decodeQuery: Decode = (text) => decoded(text.replaceAll("+", " "));
/** Header values are not encoded. */
export const decodeHeader: Decode = (text) => (hasControl(text) ? undefined : text.trim());

function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return hasControl(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}

function separated(
  text: string,
  { style }: Parameter,
  shape: Extract<Shape, { kind: "list" }>,
  decode: Decode,
): ReadValue {
  if (style === "spaceDelimited") return listOf(text.split(/%20|\+/), shape, decode);
  // Browsers and clients differ on whether they encode it, and no backend on what it means.
  if (style === "pipeDelimited") return listOf(text.split(/%7C|\|/i), shape, decode);
  if (decode !== decodeHeader && /%2c/i.test(text)) return undefined;
  return listOf(text.split(","), shape, decode);
}

function listOf(texts: readonly string[], { types }: Extract<Shape, { kind: "list" }>, decode: Decode): ReadValue {
  const items = texts.map(decode);
  return items.includes(undefined) ? undefined : { value: items.map((item) => coerced(item ?? "", types)) };
}

/** `a,1,b,2`, or exploded `a=1,b=2`. A name is there once. */
function objectOf(
  text: string,
  { explode }: Parameter,
  { properties }: Extract<Shape, { kind: "object" }>,
  decode: Decode,
): ReadValue {
  if (decode !== decodeHeader && /%2c/i.test(text)) return undefined;
  const parts = text.split(",");
  const pairs = explode
    ? parts.map((part) => part.split("=", 2))
    : parts.flatMap((name, i) => (i % 2 === 0 ? [[name, parts[i + 1]]] : []));
  const named: [string, string][] = [];
  for (const [rawName, rawValue] of pairs) {
    const name = rawName === undefined ? undefined : decode(rawName);
    const value = rawValue === undefined ? undefined : decode(rawValue);
    if (name === undefined || value === undefined) return undefined;
    named.push([name, value]);
  }
  return { value: assembled(named, properties) };
}

/** An object of its parts, without a prototype; `undefined` parts make none. */
export function assembled(
  named: readonly (readonly [string, string])[],
  properties: ReadonlyMap<string, ReadonlySet<string>>,
): Readonly<Record<string, unknown>> | undefined {
  const value = Object.create(null) as Record<string, unknown>;
  for (const [name, text] of named) {
    if (Object.hasOwn(value, name)) return undefined;
    value[name] = coerced(text, properties.get(name) ?? NONE);
  }
  return value;
}

const NONE: ReadonlySet<string> = new Set();

/** Text as the declared type; text that is not written as JSON writes that type stays text, and is judged as such. */
function coerced(text: string, types: ReadonlySet<string>): unknown {
  if ((types.has("number") || types.has("integer")) && NUMBER.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.has("null") && !types.has("string") && text === "null") return null;
  return text;
}

const NUMBER = /^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/;
