/** Why a JSON text is refused before it is parsed. */
export type JsonTextFault = "too-deep" | "duplicate-name" | "forbidden-name";

/**
 * Looks through a JSON text in one pass for what `JSON.parse` would hide: members that occur twice in one object (readers
 * differ on which counts, so judging one value and forwarding the text would be unsafe), names that mean something on a
 * JavaScript object, and nesting beyond `maxDepth`.
 *
 * Does NOT check the grammar: call it on text that `JSON.parse` accepted, or parse afterwards.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-4
 */
export function findJsonTextFault(text: string, maxDepth: number): JsonTextFault | undefined {
  /** Names seen in each open object; `undefined` for an array. */
  const open: (Names | undefined)[] = [];
  let names: Names | undefined;
  let expectName = false;

  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length >= maxDepth) return "too-deep";
        names = text.charCodeAt(at) === OPEN_BRACE ? { few: [], many: undefined } : undefined;
        open.push(names);
        expectName = names !== undefined;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        open.pop();
        names = open.at(-1);
        expectName = false;
        break;
      case COMMA:
        expectName = names !== undefined;
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        if (expectName && names !== undefined) {
          const name = decodeName(text.slice(at + 1, end));
          if (name === "__proto__") return "forbidden-name";
          if (!addName(names, name)) return "duplicate-name";
          expectName = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** What a look at the colons of a JSON text finds. */
export interface MembersLook {
  /** How many names there are. A string that begins with a colon is taken for one too: never fewer, seldom more. */
  readonly names: number;
  /** Numbers behind a name that JavaScript would write otherwise, or with an exponent. */
  readonly numbers: readonly NumberText[];
}

/** A number where it stands in a text. */
export interface NumberText {
  readonly start: number;
  readonly end: number;
  /** Of all numbers behind names, from 0. */
  readonly nth: number;
}

/**
 * Looks at what stands before and behind each colon, which costs a fifth of looking at each character. Requires a text that
 * `JSON.parse` accepts.
 */
export function lookAtMembers(text: string): MembersLook {
  let names = 0;
  let nth = 0;
  const numbers: NumberText[] = [];
  for (let colon = text.indexOf(":"); colon >= 0; colon = text.indexOf(":", colon + 1)) {
    let before = colon - 1;
    while (isSpace(text.charCodeAt(before))) before--;
    if (text.charCodeAt(before) !== QUOTE || isEscaped(text, before)) continue;
    names++;
    let start = colon + 1;
    while (isSpace(text.charCodeAt(start))) start++;
    if (!isNumberPart(text.charCodeAt(start))) continue;
    let end = start + 1;
    while (isNumberPart(text.charCodeAt(end))) end++;
    const number = text.slice(start, end);
    if (String(Number(number)) !== number || number.includes("e")) numbers.push({ start, end, nth });
    nth++;
  }
  return { names, numbers };
}

/** Of what a value of JSON may begin or go on with, only a number has these. */
function isNumberPart(code: number): boolean {
  return (
    (code >= ZERO && code <= NINE) || code === MINUS || code === PLUS || code === POINT || (code | 0x20) === LETTER_E
  );
}

export function isSpace(code: number): boolean {
  return code <= 0x20;
}

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const LETTER_E = 0x65;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
export const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Most objects have so few names that looking through them is cheaper than hashing; a hostile one may have many. */
interface Names {
  readonly few: string[];
  many: Set<string> | undefined;
}
const FEW = 12;

/** False when it was there already. */
function addName(names: Names, name: string): boolean {
  if (names.few.length < FEW) {
    if (names.few.includes(name)) return false;
    names.few.push(name);
    return true;
  }
  names.many ??= new Set(names.few);
  const { size } = names.many;
  return names.many.add(name).size > size;
}

/** Index of the closing quote of the string that opens at `start`, or the end of the text. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

/** An odd number of backslashes before it. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote - 1;
  while (text.charCodeAt(at) === BACKSLASH) at--;
  return (quote - at) % 2 === 0;
}

/** Names are compared after escapes are decoded: `"na\u006de"` is `name`. */
function decodeName(name: string): string {
  if (!name.includes("\\")) return name;
  try {
    return JSON.parse(`"${name}"`) as string;
  } catch {
    return name;
  }
}
