import { randomUUID } from "node:crypto";
import { COLON, endOfString, isSpace } from "./json-text.ts";

/**
 * `JSON.parse`, for a text that others read as well: V8 13.6 (Node 24) takes a name with an escape for another one it has read
 * before, if that one is what the first begins with as it is spelled. After `{"\\u0073u":1}` it finds in `{"\u0073ubject":2}` no
 * subject, as every other reader does, but the former name again.
 *
 * @throws {SyntaxError} as `JSON.parse`
 */
export function readJson(text: string): unknown {
  const { text: plain, parse } = plainlyNamed(text);
  return parse(plain);
}

export interface PlainlyNamed {
  /** The text with its names written without escapes, where there is another way. */
  readonly text: string;
  /** Reads it, or another text with the same names. */
  readonly parse: (text: string) => unknown;
}

/** @throws {SyntaxError} for an escape that JSON does not have */
export function plainlyNamed(given: string): PlainlyNamed {
  if (!hasEscapedName(given)) return { text: given, parse: JSON.parse };
  let isPlain = true;
  const text = withNames(given, (name) => {
    const written = JSON.stringify(decoded(name));
    if (written.includes("\\")) isPlain = false;
    return written;
  });
  return { text, parse: isPlain ? JSON.parse : parseWithStandIns };
}

/** Hops from one string with an escape to the next. */
function hasEscapedName(text: string): boolean {
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at)) {
    at = endOfString(text, at) + 1;
    while (isSpace(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === COLON) return true;
  }
  return false;
}

/** Each name with an escape, written as `write` says. Whatever is not JSON is left so. */
function withNames(text: string, write: (escaped: string) => string): string {
  let written = "";
  let copied = 0;
  for (let open = text.indexOf('"'); open >= 0; ) {
    const close = endOfString(text, open);
    let next = close + 1;
    while (isSpace(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === COLON) {
      const escaped = text.slice(open + 1, close);
      if (escaped.includes("\\")) {
        written += text.slice(copied, open) + write(escaped);
        copied = close + 1;
      }
    }
    open = text.indexOf('"', next);
  }
  return written + text.slice(copied);
}

function decoded(name: string): string {
  return JSON.parse(`"${name}"`) as string;
}

/** Names that cannot do without an escape - with a quote, a backslash, a control character - have another while they are parsed. */
function parseWithStandIns(text: string): unknown {
  const unused = randomUUID();
  const standIns = new Map<string, string>();
  const replaced = withNames(text, (escaped) => {
    const name = decoded(escaped);
    const standIn = standIns.get(name) ?? `${unused}-${standIns.size}`;
    standIns.set(name, standIn);
    return `"${standIn}"`;
  });
  const names = new Map([...standIns].map(([name, standIn]) => [standIn, name]));
  return renamed(JSON.parse(replaced), names);
}

/** In place and without recursion: a text is nested as deeply as its sender likes. */
function renamed(root: unknown, names: ReadonlyMap<string, string>): unknown {
  const open: unknown[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === null || typeof node !== "object") continue;
    for (const member of Object.values(node)) open.push(member);
    if (!Array.isArray(node) && Object.keys(node).some((name) => names.has(name))) renameMembers(node, names);
  }
  return root;
}

/** All of them are set again, for their order. */
function renameMembers(node: object, names: ReadonlyMap<string, string>): void {
  for (const [name, value] of Object.entries(node as Readonly<Record<string, unknown>>)) {
    Reflect.deleteProperty(node, name);
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(node, names.get(name) ?? name, property);
  }
}
