import { createRequire } from "node:module";

/** A regular expression that takes time in proportion to the text (S10). */
export interface LinearPattern {
  test(text: string): boolean;
  toString(): string;
}

/**
 * Compiles a pattern of the document for an engine that never backtracks. Throws when the pattern needs backtracking:
 * look-around, back-references, and repetitions beyond a thousand.
 */
export function linearPattern(pattern: string): LinearPattern {
  const { RE2JS } = createRequire(import.meta.url)("re2js") as typeof import("re2js");
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  return { test: (text) => compiled.test(text), toString: () => pattern };
}
