import { GrowingBytes } from "./growing-bytes.ts";

/**
 * Writes plain data as `JSON.stringify` does, to the byte, in UTF-8 and in a fraction of its time: what `constant` has made
 * is not written again, and a text of plain ASCII needs no escaping.
 *
 * @returns false, with nothing written, for what has no JSON text: a function, a symbol, `undefined`
 * @throws {TypeError} for a bigint and for a value that holds itself; a part of it may then have been written
 */
export function writeJson(out: GrowingBytes, value: unknown): boolean {
  return write(out, value, 0);
}

/** The same as a text. */
export function jsonText(value: unknown): string | undefined {
  const out = new GrowingBytes(1024);
  return writeJson(out, value) ? out.memory.toString("utf8", 0, out.length) : undefined;
}

/** Freezes a part that many events share, with all it holds, and remembers its text. */
export function constant<Value extends object>(value: Value): Value {
  freezeWhole(value);
  // Not in memory shared with others: Node's pool would keep what lies beside it for as long as this.
  CONSTANTS.set(value, UTF8.encode(JSON.stringify(value)));
  return value;
}

function freezeWhole(value: object): void {
  for (const member of Object.values(value) as unknown[]) {
    if (typeof member === "object" && member !== null && !Object.isFrozen(member)) freezeWhole(member);
  }
  Object.freeze(value);
}

const CONSTANTS = new WeakMap<object, Uint8Array>();
const UTF8 = new TextEncoder();

function write(out: GrowingBytes, value: unknown, depth: number): boolean {
  if (typeof value === "string") return writeString(out, value);
  if (typeof value !== "object" || value === null) return writeText(out, JSON.stringify(value));
  const known = CONSTANTS.get(value);
  if (known !== undefined) {
    out.addBytes(known);
    return true;
  }
  // A value that holds itself is refused there.
  if (depth === DEEPEST) return writeText(out, JSON.stringify(value));
  if (Array.isArray(value)) return writeArray(out, value, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain ? writeObject(out, value, depth + 1) : writeText(out, JSON.stringify(value));
}

function writeArray(out: GrowingBytes, values: readonly unknown[], depth: number): boolean {
  out.addByte(SQUARE_OPEN);
  for (let at = 0; at < values.length; at++) {
    if (at > 0) out.addByte(COMMA);
    if (!write(out, values[at], depth)) out.addText("null");
  }
  out.addByte(SQUARE_CLOSE);
  return true;
}

function writeObject(out: GrowingBytes, value: object, depth: number): boolean {
  const members = value as Readonly<Record<string, unknown>>;
  const start = out.length;
  out.addByte(CURLY_OPEN);
  // Makes no list of names; the prototype has none that are enumerable, or they are not the value's own.
  for (const name in members) {
    if (!Object.hasOwn(members, name)) continue;
    const member = members[name];
    if (name === "toJSON" && typeof member === "function") {
      out.cutTo(start);
      return writeText(out, JSON.stringify(value));
    }
    const before = out.length;
    if (before > start + 1) out.addByte(COMMA);
    writeString(out, name);
    out.addByte(COLON);
    if (!write(out, member, depth)) out.cutTo(before);
  }
  out.addByte(CURLY_CLOSE);
  return true;
}

/** Most texts are short and of plain ASCII, so that they are copied as they are looked at. */
function writeString(out: GrowingBytes, text: string): boolean {
  out.reserve(text.length + 2);
  const { memory } = out;
  let end = out.length;
  memory[end++] = QUOTE;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // JSON.stringify leaves some of the others as they are, too.
    if (code < FIRST_PRINTABLE || code > LAST_PRINTABLE || code === QUOTE || code === BACKSLASH) {
      return writeText(out, JSON.stringify(text));
    }
    memory[end++] = code;
  }
  memory[end++] = QUOTE;
  out.length = end;
  return true;
}

function writeText(out: GrowingBytes, text: string | undefined): boolean {
  if (text === undefined) return false;
  out.addText(text);
  return true;
}

const DEEPEST = 32;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const SQUARE_OPEN = 0x5b;
const SQUARE_CLOSE = 0x5d;
const CURLY_OPEN = 0x7b;
const CURLY_CLOSE = 0x7d;
