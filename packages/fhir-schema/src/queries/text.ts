/** Splits at a separator that no backslash escapes; the parts stay escaped. */
export function splitValue(text: string, separator: "," | "|" | "$"): readonly string[] {
  if (!text.includes("\\")) return text.split(separator);
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

/**
 * A backslash escapes `,` `|` `$` and itself, nothing else.
 *
 * @see https://hl7.org/fhir/R4/search.html#escaping
 */
export function hasLegalEscapes(text: string): boolean {
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at + 2)) {
    if (!ESCAPABLE.has(text.charAt(at + 1))) return false;
  }
  return true;
}

const ESCAPABLE: ReadonlySet<string> = new Set([",", "|", "$", "\\"]);

/** C0, DEL and C1: no search value needs one, and lines of logs and protocols break at them. */
export function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

export function isUri(text: string): boolean {
  return text !== "" && !/\s/u.test(text);
}

/** Text that does not begin or end with white space, and is more than that. */
export function isTrimmed(text: string): boolean {
  return text !== "" && text.trim() === text;
}
