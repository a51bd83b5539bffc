import type { SearchQuery } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import { areElements } from "./elements.ts";
import { type QueryLimits, queryIssue } from "./limits.ts";

type Control = SearchQuery["control"][number];

/**
 * Checks the parameters that shape an answer: each at most once, without modifier, with one of R4's values.
 *
 * @see https://hl7.org/fhir/R4/search.html#summary
 */
export function controlIssues(
  { control, includes, pairs }: Pick<SearchQuery, "control" | "includes" | "pairs">,
  limits: Pick<QueryLimits, "maxCount">,
  type: string | undefined,
  issues: SchemaIssue[],
): void {
  if (control.length === 0 && pairs.length < 2) return;
  const seen = new Set<string>();
  for (const one of control) {
    if (seen.has(one.name)) issues.push(queryIssue("value", REPEATED, one.name, "MSG_PARAM_NO_REPEAT"));
    seen.add(one.name);
    controlIssue(one, limits, type, issues);
  }
  if (pairs.filter(([name]) => name === "_sort").length > 1)
    issues.push(queryIssue("value", REPEATED, "_sort", "MSG_PARAM_NO_REPEAT"));
  const summary = control.find(({ name }) => name === "_summary");
  if (summary?.value === "text" && includes.length > 0) {
    issues.push(queryIssue("value", "A text summary cannot be combined with includes.", "_summary"));
  }
}

const REPEATED = "The parameter may be given once.";

function controlIssue(
  { name, modifier, value }: Control,
  { maxCount }: Pick<QueryLimits, "maxCount">,
  type: string | undefined,
  issues: SchemaIssue[],
): void {
  if (modifier !== undefined) {
    issues.push(queryIssue("invalid", "The parameter takes no modifier.", name));
    return;
  }
  // What `_format` may say is a matter of content negotiation.
  const shape = SHAPES[name];
  if (shape !== undefined && !shape.test(value)) {
    issues.push(queryIssue("value", "The value is none that R4 has for this parameter.", name));
  } else if (name === "_elements" && !areElements(value, type)) {
    issues.push(queryIssue("value", "The list names what is no root element of the type.", name));
  } else if (name === "_count" && Number(value) > maxCount) {
    issues.push(queryIssue("too-costly", "The page asked for is larger than this server answers.", name));
  }
}

const SHAPES: Readonly<Record<string, RegExp>> = Object.freeze({
  _count: /^\d{1,9}$/,
  _summary: /^(?:true|text|data|count|false)$/,
  _elements: /^[A-Za-z0-9.,]{1,4096}$/,
  _total: /^(?:none|estimate|accurate)$/,
  _contained: /^(?:false|true|both)$/,
  _containedType: /^(?:container|contained)$/,
  _pretty: /^(?:true|false)$/,
});
