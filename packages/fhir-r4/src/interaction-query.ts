import type { SearchCriterion, SearchQuery } from "@wardline/policy-types";
import { isRecord, own } from "./element-paths.ts";
import type { InteractionRequest } from "./interaction-request.ts";
import { MOST_PAIRS, type Pairs, parsePairs } from "./request-query.ts";
import type { Route } from "./routes.ts";
import { parseSearch } from "./search.ts";

/** The types an interaction is on, and the search it carries. */
export interface Parameters {
  readonly types: readonly string[];
  readonly search?: SearchQuery;
  /** What an operation's parameters would reach if they were a search; shown by `touches` only. */
  readonly reaching?: SearchQuery;
  /** Types an operation's `_type` names. */
  readonly only?: readonly string[];
}

/** Parameters that any interaction takes, since they only shape what comes back. */
const FORMAT: ReadonlySet<string> = new Set(["_format", "_pretty", "_summary", "_elements"]);
const HISTORY: ReadonlySet<string> = new Set(["_since", "_at", "_list"]);

/** Reads the query, merged with the form body of a POST search; a fixed phrase when it cannot be read. */
export function readParameters(route: Route, request: InteractionRequest): Parameters | string {
  const types = route.type === undefined ? ["*"] : [route.type];
  const fromUrl = parsePairs(request.query ?? "");
  if (fromUrl === undefined) return "the query cannot be decoded";
  if (route.query === "search") return readSearch(route, types, fromUrl, request);
  if (route.query === "condition") return { types };
  if (route.query === "history")
    return fromUrl.length === 0 ? { types } : { types, search: historySearch(types, fromUrl) };
  if (route.query === "operation") return operationParameters(types, fromUrl, request.body);
  if (!fromUrl.every(route.query === "mode" ? shapesOrIsMode : shapes))
    return "the interaction takes no such parameters";
  return { types: route.code === "capabilities" ? [] : types };
}

function shapes([name]: Pairs[number]): boolean {
  return FORMAT.has(name);
}

function shapesOrIsMode(pair: Pairs[number]): boolean {
  return pair[0] === "mode" || shapes(pair);
}

function readSearch(
  route: Route,
  types: readonly string[],
  fromUrl: Pairs,
  request: InteractionRequest,
): Parameters | string {
  const fromForm = route.form === true ? readForm(request) : [];
  if (typeof fromForm === "string") return fromForm;
  const pairs = [...fromUrl, ...fromForm];
  const named = route.type === undefined ? typesNamed(pairs) : undefined;
  return { types: named ?? types, search: parseSearch(named ?? types, pairs) };
}

const FORM_TYPE = /^\s*application\/x-www-form-urlencoded\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

function readForm({ form, headers = {} }: InteractionRequest): Pairs | string {
  const contentType = headers["content-type"];
  if (contentType !== undefined && (typeof contentType !== "string" || !FORM_TYPE.test(contentType))) {
    return "the body of a search is no form";
  }
  if (form === undefined && contentType !== undefined) return "the form body of the search was not read";
  return parsePairs(form ?? "") ?? "the form body cannot be decoded";
}

/** The types `_type` restricts a search across types to; undefined when it does not, or names something else. */
function typesNamed(pairs: Pairs): readonly string[] | undefined {
  const lists = parseSearch(
    ["*"],
    pairs.filter(([name]) => name === "_type"),
  ).criteria;
  return lists.length > 0 && lists.every(({ known }) => known)
    ? [...new Set(lists.flatMap(({ values }) => values))]
    : undefined;
}

/**
 * `_count`, `_since`, `_at` and `_list`, each at most once; anything else is a criterion that is not known.
 *
 * @see https://hl7.org/fhir/R4/http.html#history
 */
function historySearch(on: readonly string[], pairs: Pairs): SearchQuery {
  const shaping = pairs.filter(([name]) => FORMAT.has(name) || name === "_count");
  const seen = new Set<string>();
  const criteria = pairs
    .filter(([name]) => !FORMAT.has(name) && name !== "_count")
    .map(([raw, value]): SearchCriterion => {
      const known = HISTORY.has(raw) && !seen.has(raw);
      seen.add(raw);
      const parameterType = raw === "_list" ? "special" : "date";
      return { raw, steps: [], parameter: raw, on, values: [value], known, ...(known ? { parameterType } : {}) };
    });
  return { criteria, includes: [], sort: [], control: shaping.map(([name, value]) => ({ name, value })), pairs };
}

/**
 * An operation names its parameters itself, in the URL or in a body: those of the URL stand in `pairs`, unjudged, and all of
 * them count for what they could reach.
 *
 * @see https://hl7.org/fhir/R4/operations.html#request
 */
function operationParameters(types: readonly string[], pairs: Pairs, body: unknown): Parameters | string {
  const named = [...pairs, ...parametersIn(body)];
  if (named.length === 0) return { types };
  if (named.length > MOST_PAIRS) return "the operation has more parameters than are read";
  const restriction = pairs.some(([name]) => name === "_type") ? { only: typesNamed(pairs) ?? ["*"] } : {};
  const others = named.filter(([name]) => name !== "_type");
  const reaching = parseSearch(types, others);
  if (pairs.length === 0) return { types, reaching };
  const search: SearchQuery = { criteria: [], includes: [], sort: [], control: [], pairs };
  return { types, search, reaching, ...restriction };
}

/** The parameters of a Parameters resource, as a URL would spell them, each once: a list of resources has one name. */
function parametersIn(body: unknown): Pairs {
  const list = isRecord(body) && own(body, "resourceType") === "Parameters" ? own(body, "parameter") : undefined;
  if (!Array.isArray(list)) return [];
  const found = new Map<string, Pairs[number]>();
  for (const one of list as readonly unknown[]) {
    const name = isRecord(one) ? own(one, "name") : undefined;
    if (!isRecord(one) || typeof name !== "string") continue;
    const value = valueIn(one);
    found.set(`${name}\0${value}`, [name, value]);
  }
  return [...found.values()];
}

function valueIn(parameter: Readonly<Record<string, unknown>>): string {
  const key = Object.keys(parameter).find((name) => /^value[A-Z]/.test(name));
  const value = key === undefined ? undefined : parameter[key];
  const text = isRecord(value) ? own(value, "reference") : value;
  return typeof text === "string" || typeof text === "number" || typeof text === "boolean" ? String(text) : "";
}

/**
 * The condition of a conditional interaction: its query, or `If-None-Exist` of a create. A condition that selects
 * nothing would match everything, so it is refused with a fixed phrase.
 *
 * @see https://hl7.org/fhir/R4/http.html#cond-update
 */
export function readCondition(route: Route, request: InteractionRequest): SearchQuery | undefined | string {
  const text = conditionText(route, request);
  if (text === undefined) return undefined;
  if (typeof text !== "string") return "the condition is sent twice";
  // If-None-Exist holds only what stands after the "?"; some servers cut it at the first one, wherever that is.
  const pairs = parsePairs(text);
  const isCut = route.code === "create" ? text.includes("?") : pairs?.[0]?.[0].includes("?") === true;
  if (pairs === undefined || isCut) return "the condition cannot be decoded";
  const condition = parseSearch([route.type ?? "*"], pairs);
  const selects = condition.criteria.some(({ values }) => values.some((value) => value !== ""));
  return selects ? condition : "the condition selects nothing";
}

function conditionText(
  route: Route,
  { query, headers = {} }: InteractionRequest,
): string | readonly string[] | undefined {
  if (route.query === "condition") return query ?? "";
  return route.code === "create" ? headers["if-none-exist"] : undefined;
}
