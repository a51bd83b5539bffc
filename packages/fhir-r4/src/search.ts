import type { SearchCriterion, SearchInclude, SearchQuery } from "@wardline/policy-types";
import { type Pairs, splitUnescaped } from "./request-query.ts";
import { isResourceType } from "./resource-types.ts";
import { isIncludeName, parseInclude } from "./search-includes.ts";
import { parseSearchName } from "./search-names.ts";

/** Parameters that shape the answer and select nothing. */
const CONTROL: ReadonlySet<string> = new Set([
  "_count",
  "_summary",
  "_elements",
  "_total",
  "_contained",
  "_containedType",
  "_format",
  "_pretty",
]);

/**
 * Reads decoded pairs as a search on `types`: several for `_type`, `["*"]` for any. Never throws; what R4 does not
 * define is a criterion with `known: false`: a parameter or modifier the type does not have, a chain or `_has` that
 * leads nowhere, a malformed include (its `parameter` is then `_include` or `_revinclude`).
 *
 * @see https://hl7.org/fhir/R4/search.html
 */
export function parseSearch(types: readonly string[], pairs: Pairs): SearchQuery {
  const criteria: SearchCriterion[] = [];
  const includes: SearchInclude[] = [];
  const sort: SearchQuery["sort"][number][] = [];
  const control: SearchQuery["control"][number][] = [];
  for (const [name, value] of pairs) {
    const colon = name.indexOf(":");
    const bare = colon < 0 ? name : name.slice(0, colon);
    if (isIncludeName(name)) {
      const include = parseInclude(name, value);
      if (include !== undefined) includes.push(include);
      else criteria.push(unknownCriterion(types, bare, name, value));
    } else if (name === "_sort") {
      addRules(sort, types, value);
    } else if (CONTROL.has(bare)) {
      control.push(colon < 0 ? { name, value } : { name: bare, modifier: name.slice(colon + 1), value });
    } else if (name === "_type") {
      criteria.push(parseTypeList(types, value));
    } else {
      criteria.push(parseCriterion(types, name, value));
    }
  }
  return { criteria, includes, sort, control, pairs };
}

function parseCriterion(types: readonly string[], raw: string, value: string): SearchCriterion {
  const { steps, parameter, on, known, modifier, parameterType } = parseSearchName(types, raw);
  const criterion: Growing<SearchCriterion> = { raw, steps, parameter, on, values: splitUnescaped(value, ","), known };
  if (modifier !== undefined) criterion.modifier = modifier;
  if (parameterType !== undefined) criterion.parameterType = parameterType;
  return criterion;
}

/** Filled member by member: copying with spread costs more than the reading. */
type Growing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

function unknownCriterion(on: readonly string[], parameter: string, raw: string, value: string): SearchCriterion {
  return { raw, steps: [], parameter, on, values: [value], known: false };
}

function parseTypeList(on: readonly string[], value: string): SearchCriterion {
  const values = splitUnescaped(value, ",");
  const known = values.every((type) => isResourceType(type) && (on.includes(type) || on.includes("*")));
  return { raw: "_type", steps: [], parameter: "_type", on, parameterType: "special", values, known };
}

/** Nobody sorts by so much: behind as many rules stands one that is not known, by which the search is refused. */
const MOST_RULES = 100;
const TOO_MANY: SearchQuery["sort"][number] = Object.freeze({ parameter: "_sort", descending: false, known: false });

function addRules(sort: SearchQuery["sort"][number][], types: readonly string[], value: string): void {
  for (const rule of splitUnescaped(value, ",")) {
    if (sort.length > MOST_RULES) return;
    sort.push(sort.length === MOST_RULES ? TOO_MANY : parseSort(types, rule));
  }
}

function parseSort(types: readonly string[], rule: string): SearchQuery["sort"][number] {
  const descending = rule.startsWith("-");
  const parameter = descending ? rule.slice(1) : rule;
  const name = parseSearchName(types, parameter);
  const known =
    name.known && name.steps.length === 0 && name.modifier === undefined && name.parameterType !== "special";
  return { parameter, descending, known };
}
