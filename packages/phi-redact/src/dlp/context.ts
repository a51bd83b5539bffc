import type { Scanned } from "./detection.ts";

/** True when one of the words stands in the hint or shortly before the place (or right after it). */
export function hasContext({ text, hint }: Scanned, words: RegExp, start: number, end: number): boolean {
  if (hint !== "" && words.test(hint)) return true;
  const before = text.slice(Math.max(0, start - BEFORE), start);
  return words.test(before) || words.test(text.slice(end, end + AFTER));
}

/** True when one of the words stands anywhere: asked once, before every place is looked at. */
export function mentions({ text, hint }: Scanned, words: RegExp): boolean {
  return (hint !== "" && words.test(hint)) || words.test(text);
}

/**
 * False for a piece of a longer number: one that goes on, before or after, with the separator used inside. `5 536-22-1234`
 * are two numbers, `5-536-22-1234` is one.
 */
export function standsAlone(text: string, start: number, end: number, separator: string): boolean {
  const joins = separator === "" ? "-." : separator;
  const before = joins.includes(text.charAt(start - 1) || "?") && DIGIT.test(text.charAt(start - 2));
  const after = joins.includes(text.charAt(end) || "?") && DIGIT.test(text.charAt(end + 1));
  return !before && !after;
}
const DIGIT = /\d/;

/** One flag for every list of words: they are compared in any case, and as whole words of ASCII letters. */
export function contextWords(words: readonly string[]): RegExp {
  return new RegExp(`(?<![a-z])(?:${words.join("|")})(?![a-z])`, "i");
}

const BEFORE = 48;
const AFTER = 16;
