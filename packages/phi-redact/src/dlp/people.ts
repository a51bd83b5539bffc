import { contextWords, hasContext, mentions } from "./context.ts";
import type { Detection, Detector } from "./detection.ts";
import { found } from "./numbers.ts";

const BIRTH_WORDS = contextWords([
  "born",
  "birth",
  "births?date",
  "date[- ]of[- ]birth",
  "dob",
  "d\\.o\\.b\\.?",
  "birthday",
]);

/** A date is a date of birth only beside its words. */
export const birthDate: Detector = function* (scanned) {
  if (!mentions(scanned, BIRTH_WORDS)) return;
  for (const match of scanned.text.matchAll(DATE)) {
    const [whole] = match;
    const isOne = hasContext(scanned, BIRTH_WORDS, match.index, match.index + whole.length);
    if (isOne) yield found("birth-date", match.index, whole, 0.85);
  }
};
const MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}";
const DATE = new RegExp(
  `(?<![\\w-])(?:(?:18|19|20)\\d{2}-\\d{2}-\\d{2}|(?:19|20)\\d{6}|\\d{1,2}([/.-])\\d{1,2}\\1(?:\\d{4}|\\d{2})|\\d{1,2}[ -]${MONTH}[ -]\\d{4}|${MONTH} \\d{1,2},? \\d{4})(?![\\w-]\\d)`,
  "gi",
);

/** Longest list of names a matcher takes: of one exchange, or one log record. */
export const MAX_NAMES = 1000;

/**
 * Finds names that are known: those of `Patient.name` in the same exchange. Two words of one name beside each other are
 * nearly certain; one word may be an ordinary one.
 *
 * Does NOT find names nobody told of: a pattern cannot.
 */
export function nameDetector(names: readonly string[]): Detector {
  const words = new Set(names.slice(0, MAX_NAMES).flatMap((name) => wordsOf(name).map(({ word }) => word)));
  if (words.size === 0) return () => [];
  return function* ({ text }): Iterable<Detection> {
    let run: { start: number; end: number; count: number } | undefined;
    for (const { word, start, end } of wordsOf(text)) {
      if (!words.has(word)) continue;
      const joins = run !== undefined && start - run.end <= 2;
      if (run !== undefined && !joins) yield nameAt(run);
      run = run !== undefined && joins ? { start: run.start, end, count: run.count + 1 } : { start, end, count: 1 };
    }
    if (run !== undefined) yield nameAt(run);
  };
}

function nameAt({ start, end, count }: { start: number; end: number; count: number }): Detection {
  return { entity: "name", start, end, confidence: count > 1 ? 0.95 : 0.6 };
}

/** Compared without case and accents. Words of one or two letters say nothing. */
function wordsOf(text: string): { readonly word: string; readonly start: number; readonly end: number }[] {
  const words: { word: string; start: number; end: number }[] = [];
  for (const { 0: whole, index } of text.matchAll(WORD)) {
    const word = whole.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    if (word.length > 2) words.push({ word, start: index, end: index + whole.length });
  }
  return words;
}
const WORD = /[\p{L}\p{M}]{1,60}/gu;

/** The names of patients and their relatives in resources, at any depth. Looks through plain objects only. */
export function namesIn(value: unknown): string[] {
  const names = new Set<string>();
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && names.size < MAX_NAMES && seen.size < MAX_OBJECTS) {
    const next = waiting.pop();
    if (!isPlain(next) || seen.has(next)) continue;
    seen.add(next);
    const { resourceType, name } = next as { readonly resourceType?: unknown; readonly name?: unknown };
    if (typeof resourceType === "string" && PEOPLE.has(resourceType)) addHumanNames(name, names);
    for (const member of Object.values(next)) if (typeof member === "object" && member !== null) waiting.push(member);
  }
  return [...names];
}

/** Not requests, sockets and the like: they hold the world, and no resources. */
function isPlain(value: unknown): value is object {
  if (value === null || typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

const MAX_OBJECTS = 100_000;

function addHumanNames(value: unknown, names: Set<string>): void {
  for (const name of Array.isArray(value) ? value : []) {
    if (name === null || typeof name !== "object") continue;
    const { family, given, text } = name as Readonly<Record<string, unknown>>;
    for (const part of [family, text, ...(Array.isArray(given) ? (given as unknown[]) : [])]) {
      if (typeof part === "string") names.add(part);
    }
  }
}

const PEOPLE: ReadonlySet<string> = new Set(["Patient", "Person", "RelatedPerson"]);
