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
  const open: (Set<string> | undefined)[] = [];
  let names: Set<string> | undefined;
  let expectName = false;

  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (open.length >= maxDepth) return "too-deep";
        names = text.charCodeAt(at) === OPEN_BRACE ? new Set() : undefined;
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
          const name = decodeName(text.slice(at, end + 1));
          if (name === "__proto__") return "forbidden-name";
          if (names.has(name)) return "duplicate-name";
          names.add(name);
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

/** Index of the closing quote of the string that opens at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

/** Names are compared after escapes are decoded: `"na\u006de"` is `name`. */
function decodeName(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}
