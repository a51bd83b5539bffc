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

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
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
function endOfString(text: string, start: number): number {
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
