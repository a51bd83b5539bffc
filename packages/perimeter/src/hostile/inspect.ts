import { remembering } from "../remembered.ts";
import { formsOf } from "./forms.ts";
import type { HostileRule, Surface } from "./rule.ts";
import type { RulesBySurface } from "./rules.ts";
import { hasAttackWord } from "./traits.ts";

/** What spoke, and where. Holds nothing of the request. */
export interface HostileFinding {
  readonly rule: string;
  readonly surface: Surface;
  /** Name of the parameter, where it may lie behind an exception; never told to anybody. */
  readonly parameter?: string;
}

/** Asks every rule about one text; gives those that speak, at most one unless `all`. */
export function inspectText(text: string, rules: readonly HostileRule[]): HostileRule | undefined {
  if (text.length < 2 || isOrdinary(text)) return undefined;
  if (text.length <= WINDOW) return inspectWindow(text, rules);
  // Each window is judged alone: what a text costs grows with its length, never faster.
  for (let start = 0; start < text.length; start += WINDOW - OVERLAP) {
    const rule = inspectWindow(text.slice(start, start + WINDOW), rules);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

const WINDOW = 2048;
const OVERLAP = 256;

function inspectWindow(text: string, rules: readonly HostileRule[]): HostileRule | undefined {
  const forms = formsOf(text);
  const { traits } = forms;
  for (const rule of rules) {
    if ((rule.needs === 0 || (rule.needs & traits) !== 0) && rule.matches(forms)) return rule;
  }
  return undefined;
}

/**
 * Most values of searches: a word, a number, a date, a reference, a code with its system, O'Brien. Nothing a rule looks for can be
 * written in their characters alone, but for the words of `hasAttackWord` and an address inside the network.
 */
function isOrdinary(text: string): boolean {
  return ORDINARY.test(text) && !hasAttackWord(text);
}

const ORDINARY =
  /^(?!.*(?:\.\.|--|::))(?:[\w.,+-]{1,300}|\w{1,64}[:/][\w.-]{1,100}|https?:\/\/(?:[A-Za-z][A-Za-z0-9-]{0,60}\.){1,6}(?:org|com|net|gov|edu|int|info|us|uk|eu|de|fr|nl|au|ca|se|ch|at|be|dk|no|fi|it|es|nz)(?:\/[\w.-]{1,100}){0,12}\/?(?:\|[\w.-]{0,100})?|[A-Z][a-z]{0,20}'(?!Sleep|Waitfor)[A-Z][a-z]{1,40})$/;

export interface ParameterPolicy {
  readonly rules: RulesBySurface;
  /** The rule that speaks of a parameter's name. */
  readonly judgeName: (name: string) => HostileRule | undefined;
  readonly maxParameters: number;
  readonly maxParameterNameBytes: number;
}

/** Looks at every name and value of a query or a form, once per fault and parameter. */
export function inspectParameters(
  encoded: string,
  surface: "parameter" | "form",
  { rules, judgeName, maxParameters, maxParameterNameBytes }: ParameterPolicy,
): HostileFinding[] {
  const found: HostileFinding[] = [];
  let count = 0;
  for (const [name, value] of parametersOf(encoded)) {
    if (++count > maxParameters) return [...found, { rule: "protocol/parameter-count", surface }];
    if (name.length > maxParameterNameBytes) found.push({ rule: "protocol/parameter-name", surface });
    push(found, judgeName(name), "parameter-name", name);
    push(found, inspectText(value, rules[surface]), surface, name);
  }
  return found;
}

/** As URLSearchParams reads them; where they are ASCII and well encoded, without its cost. */
function parametersOf(encoded: string): Iterable<readonly [name: string, value: string]> {
  if (encoded.startsWith("?") || !PRINTABLE.test(encoded)) return new URLSearchParams(encoded);
  const parameters: (readonly [string, string])[] = [];
  try {
    for (const one of encoded.split("&")) {
      const equals = one.indexOf("=");
      if (equals !== -1) parameters.push([plainOf(one.slice(0, equals)), plainOf(one.slice(equals + 1))]);
      else if (one !== "") parameters.push([plainOf(one), ""]);
    }
  } catch {
    return new URLSearchParams(encoded);
  }
  return parameters;
}

const PRINTABLE = /^[\x20-\x7e]*$/;

/** @throws {URIError} when it is not well encoded */
function plainOf(encoded: string): string {
  const spaced = encoded.includes("+") ? encoded.replaceAll("+", " ") : encoded;
  return spaced.includes("%") ? decodeURIComponent(spaced) : spaced;
}

/** The same few names are asked for again and again. */
export function nameJudge(rules: RulesBySurface): ParameterPolicy["judgeName"] {
  return remembering((name) =>
    ORDINARY_NAME.test(name) && !hasAttackWord(name) ? undefined : inspectText(name, rules["parameter-name"]),
  );
}

/** `_has:Observation:patient:code`, `subject:Patient.name`, `date`: the names of FHIR searches. */
const ORDINARY_NAME = /^[\w.:-]*$/;

export function inspectPath(encoded: string, rules: RulesBySurface): HostileFinding[] {
  if (ORDINARY_PATH.test(encoded)) return [];
  const found: HostileFinding[] = [];
  push(found, inspectText(decode(encoded), rules.path), "path");
  return found;
}

/** Segments of letters, digits and hyphens, with a `$` where an operation begins. */
const ORDINARY_PATH =
  /^(?!.*\/(?:proc|etc|wp-|cgi-bin|phpmyadmin|solr|jenkins|actuator|server-status|owa|hnap1)\b)(?:\/\$?[\w-]{1,64})*\/?$/;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function push(
  found: HostileFinding[],
  rule: HostileRule | undefined,
  surface: Surface,
  parameter?: string,
): void {
  if (rule === undefined) return;
  found.push({ rule: rule.id, surface, ...(parameter === undefined ? {} : { parameter }) });
}
