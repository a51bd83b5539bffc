import { maskDetections, type PhiScanner } from "../dlp/detect.ts";
import { safeUrlText } from "./safe-url.ts";
import { withoutSecrets } from "./secrets.ts";

export interface TextRules {
  readonly scan: PhiScanner;
  /** Masked word for word. */
  readonly texts: readonly string[];
  /** Longer texts are cut at a word before they are looked through. */
  readonly maxChars: number;
}

/** One text without credentials, identifiers and control characters; URLs keep what names nobody. */
export function redactText(text: string, hint: string, { scan, texts, maxChars }: TextRules): string {
  let clean = text.length > maxChars ? cut(text, maxChars) : text;
  clean = withoutSecrets(clean);
  if (clean.includes("/")) clean = clean.replace(URL_IN_TEXT, safeUrlText).replace(TARGET_IN_TEXT, safeUrlText);
  for (const known of texts) clean = clean.replaceAll(known, "[phi]");
  const found = scan(clean, hint);
  if (found.length > 0) clean = maskDetections(clean, found);
  return escapeControls(clean);
}

/**
 * S14: what could end a line, colour a terminal or turn the reading direction is written out.
 *
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
export function escapeControls(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** At the last white space, so that no half of a token or a number is left to be misread. */
function cut(text: string, maxChars: number): string {
  const head = text.slice(0, maxChars);
  const end = Math.max(head.lastIndexOf(" "), head.lastIndexOf("\n"), head.lastIndexOf(","));
  return `${end > 0 ? head.slice(0, end) : ""}[${text.length - Math.max(end, 0)} characters cut]`;
}

const PLAIN = /^[\x20-\x7e]*$/;
const CONTROLS = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const URL_IN_TEXT = /(?<![\w.])[a-z][a-z0-9+.-]{1,11}:\/\/[^\s"'<>`{}|\\^]+/gi;
/** A request-target with a query: `/Patient?name=x`, as access logs write it. */
const TARGET_IN_TEXT = /(?<=^|[\s"'(=])\/[^\s"'<>?]{0,2048}\?[^\s"'<>]+/g;
