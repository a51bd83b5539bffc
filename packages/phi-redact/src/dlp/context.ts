import type { Scanned } from "./detection.ts";

/** True when one of the words stands in the hint or shortly before the place (or right after it). */
export function hasContext({ text, hint }: Scanned, words: RegExp, start: number, end: number): boolean {
  if (hint !== "" && words.test(hint)) return true;
  const before = text.slice(Math.max(0, start - BEFORE), start);
  return words.test(before) || words.test(text.slice(end, end + AFTER));
}

/** One flag for every list of words: they are compared in any case, and as whole words of ASCII letters. */
export function contextWords(words: readonly string[]): RegExp {
  return new RegExp(`(?<![a-z])(?:${words.join("|")})(?![a-z])`, "i");
}

const BEFORE = 48;
const AFTER = 16;
