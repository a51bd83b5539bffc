/** Name and value pairs in the order sent, or undefined when the text is not validly percent-encoded. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/**
 * Reads a URL query and a form body alike: `+` is a space, `;` separates nothing, repeats keep their order, empty
 * pieces are skipped. Undefined for broken percent-encoding, invalid UTF-8, a NUL or a `#`, and for more than a thousand
 * pairs, which no search needs and each of which is judged.
 *
 * @see https://url.spec.whatwg.org/#concept-urlencoded-parser
 */
export function parsePairs(text: string): Pairs | undefined {
  if (text === "") return NO_PAIRS;
  if (text.includes("#")) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const piece of text.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    const name = decode(equals < 0 ? piece : piece.slice(0, equals));
    const value = decode(equals < 0 ? "" : piece.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    if (pairs.push([name, value]) > MOST_PAIRS) return undefined;
  }
  return pairs;
}

export const MOST_PAIRS = 1000;
const NO_PAIRS: Pairs = Object.freeze([]);

function decode(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text.includes("\0") ? undefined : text;
  try {
    const decoded = decodeURIComponent(text.replaceAll("+", " "));
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/**
 * Writes pairs as an application/x-www-form-urlencoded query: everything but unreserved characters percent-encoded, a
 * space as `%20`. A lone surrogate becomes U+FFFD.
 */
export function renderQuery(pairs: Pairs): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\uFFFD")).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Splits at a separator that no backslash escapes; the parts stay escaped. */
export function splitUnescaped(text: string, separator: "," | "|" | "$"): readonly string[] {
  if (!text.includes(separator)) return [text];
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Undoes `\,` `\|` `\$` `\\`; undefined when a backslash escapes anything else. */
export function unescapeValue(text: string): string | undefined {
  if (!text.includes("\\")) return text;
  return /^(?:[^\\]|\\[,|$\\])*$/s.test(text) ? text.replace(/\\(.)/gs, "$1") : undefined;
}
