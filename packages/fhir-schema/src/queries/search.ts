import { searchParameter } from "@wardline/fhir-r4";
import type { SearchCriterion, SearchQuery } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import { componentsOf } from "./composites.ts";
import { controlIssues } from "./control.ts";
import { isDate, isInstant } from "./dates.ts";
import { extraFault, type QueryLimits, queryIssue } from "./limits.ts";
import { valueFault } from "./values.ts";

export interface QueryVerdict {
  /** At most `maxIssues`; empty for a query that may pass. */
  readonly issues: readonly SchemaIssue[];
  /** Names, as sent, of parameters R4 does not define, in lenient handling: they have to be left out of what is forwarded. */
  readonly ignored: readonly string[];
}

/** How a search stands in its request. */
export interface QueryUse {
  /** `history`: `_since` is an instant. */
  readonly of: "search" | "history";
  /** The one type searched, of which `_elements` names elements. Absent: only their form is checked. */
  readonly type?: string | undefined;
  /** Parameters R4 does not define are `ignored` instead of an issue. */
  readonly lenient: boolean;
}

/**
 * Checks a search as `parseInteraction` took it apart: names, modifiers, prefixes, the grammar of every value, chains,
 * includes and control parameters. Strict, because a server that ignores a parameter answers more than was asked for.
 *
 * Does NOT decide what the caller may ask, nor whether a code, a unit or a reference exists.
 *
 * @see https://hl7.org/fhir/R4/search.html
 */
export function checkSearch(search: SearchQuery, { of, type, lenient }: QueryUse, limits: QueryLimits): QueryVerdict {
  const issues: SchemaIssue[] = [];
  const ignored: string[] = [];
  if (search.pairs.length > limits.maxParameters) {
    return { issues: [queryIssue("too-costly", "The search has more parameters than this server answers.")], ignored };
  }
  for (const criterion of search.criteria) {
    if (lenient && isIgnorable(criterion, limits)) ignored.push(criterion.raw);
    else criterionIssues(criterion, of, limits, issues);
  }
  if (search.includes.length > limits.maxIncludes) {
    issues.push(queryIssue("too-costly", "The search has more includes than this server answers.", "_include"));
  }
  for (const { known } of search.sort) {
    if (!known)
      issues.push(
        queryIssue("not-supported", "The search is sorted by what is no parameter here.", "_sort", "MSG_SORT_UNKNOWN"),
      );
  }
  controlIssues(search, limits, type, issues);
  return { issues: issues.length > limits.maxIssues ? issues.slice(0, limits.maxIssues) : issues, ignored };
}

function criterionIssues(
  criterion: SearchCriterion,
  of: QueryUse["of"],
  limits: QueryLimits,
  issues: SchemaIssue[],
): void {
  const { raw, known, values, parameter, steps } = criterion;
  if (values.length > limits.maxValues) {
    issues.push(queryIssue("too-costly", "A parameter has more values than this server answers."));
    return;
  }
  if (limits.extraParameters.has(bareName(raw))) {
    const fault = values.map(extraFault).find((found) => found !== undefined);
    if (fault !== undefined) issues.push(queryIssue("value", fault, bareName(raw)));
    return;
  }
  if (!known) {
    issues.push(unknownIssue(criterion));
    return;
  }
  if (steps.length > limits.maxChain) {
    issues.push(queryIssue("too-costly", "The chain is longer than this server follows.", parameter));
    return;
  }
  if (UNKNOWABLE.has(parameter)) {
    issues.push(queryIssue("not-supported", "This server offers no such query language or named query.", parameter));
    return;
  }
  const fault = of === "history" ? historyFault(parameter, values) : criterionFault(criterion);
  // A known name is made of R4's own words, chains and modifiers included.
  if (fault !== undefined) issues.push(queryIssue("value", fault, raw));
}

/** What they ask is written elsewhere; a route whose server has them declares them. */
const UNKNOWABLE: ReadonlySet<string> = new Set(["_filter", "_query"]);

function criterionFault({ parameter, parameterType, modifier, on, values }: SearchCriterion): string | undefined {
  if (parameterType === undefined) return "The parameter's type is not known.";
  if (parameter === "_id" && modifier === undefined) return allMatch(values, ID, "The value is not an id.");
  if (parameter === "near") return allMatch(values, NEAR, "The value is not latitude|longitude|distance|unit.");
  if (parameter === "_list") return allMatch(values, LIST, "The value is neither an id nor a list R4 names.");
  const shape = {
    type: parameterType,
    modifier,
    components: parameterType === "composite" ? componentsOf(on, parameter) : undefined,
    isBoolean: parameterType === "token" && isBooleanOn(on, parameter),
  };
  for (const value of values) {
    const fault = valueFault(value, shape);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function allMatch(values: readonly string[], shape: RegExp, sentence: string): string | undefined {
  return values.every((value) => shape.test(value)) ? undefined : sentence;
}

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const NUMBER = String.raw`(?:0|[1-9]\d{0,20})(?:\.\d{1,20})?`;
const NEAR = new RegExp(String.raw`^-?${NUMBER}\|-?${NUMBER}(?:\|${NUMBER}(?:\|[A-Za-z_\[\]]{1,20})?)?$`);
/** @see https://hl7.org/fhir/R4/lifecycle.html#lists */
const LIST = /^(?:[A-Za-z0-9\-.]{1,64}|\$[a-z][a-z-]{0,63})$/;

function isBooleanOn(types: readonly string[], parameter: string): boolean {
  return types.every((type) => /^\S+@boolean$/.test(searchParameter(type, parameter)?.expression ?? ""));
}

function historyFault(parameter: string, values: readonly string[]): string | undefined {
  if (parameter === "_since") return values.every(isInstant) ? undefined : "The value is not an instant.";
  if (parameter === "_at") return values.every(isDate) ? undefined : "The value is not a date.";
  return allMatch(values, LIST, "The value is neither an id nor a list R4 names.");
}

/** An own parameter of some server, or a misspelled one; nothing else may be left out, R4 asks to refuse it. */
function isIgnorable(criterion: SearchCriterion, { extraParameters }: QueryLimits): boolean {
  const { raw, known, parameterType, values } = criterion;
  if (extraParameters.has(bareName(raw)) || SPECIAL.test(raw)) return false;
  return known ? values.every((value) => value === "") : parameterType === undefined;
}

const SPECIAL = /^_(?:type|include|revinclude|has|query|filter)(?::|$)/;

function bareName(raw: string): string {
  const colon = raw.indexOf(":");
  return colon < 0 ? raw : raw.slice(0, colon);
}

function unknownIssue({ raw, parameter, parameterType, modifier }: SearchCriterion): SchemaIssue {
  if (parameter === "_include" || parameter === "_revinclude") {
    return queryIssue("value", "The include names no reference parameter and target that R4 has.", parameter);
  }
  if (raw === "_type") return queryIssue("value", "The value names what is no resource type.", raw);
  if (parameterType !== undefined && modifier !== undefined) {
    return queryIssue("invalid", "The modifier is not defined for this parameter.", parameter);
  }
  if (raw.startsWith("_has:")) {
    return queryIssue(
      "not-supported",
      "The reverse chain leads over what R4 does not define.",
      "_has",
      "MSG_PARAM_CHAINED",
    );
  }
  if (raw.includes("."))
    return queryIssue("not-supported", "The chain leads over what R4 does not define.", undefined, "MSG_PARAM_CHAINED");
  if (parameterType !== undefined) {
    return queryIssue("not-supported", "The parameter means different things, or is used twice where once is allowed.");
  }
  // The name itself may be anything a client typed, so it is not told (S15).
  return queryIssue("not-supported", "The search has a parameter that is not defined for this type.");
}
