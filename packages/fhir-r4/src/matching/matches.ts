import type { SearchCriterion } from "@wardline/policy-types";
import { type ElementPath, isRecord, own, visitElements } from "../element-paths.ts";
import { type ReferenceOptions, readReference } from "../references.ts";
import { isResourceType } from "../resource-types.ts";
import { elementPathsOf, type SearchParameter, searchParameter } from "../search-parameters.ts";
import { matchDate } from "./date.ts";
import { matchNumber } from "./number.ts";
import { matchQuantity } from "./quantity.ts";
import { matchReference } from "./reference.ts";
import { matchText } from "./text.ts";
import { matchToken } from "./token.ts";
import { matchUri } from "./uri.ts";
import { allOf, anyOf, not, type Verdict } from "./verdict.ts";

/**
 * Evaluates a search on one resource, without a server. `undecided` when a criterion needs more than the resource says:
 * a chain, `_has`, a composite or special parameter, terminology (`:in`, `:above`), an unknown parameter or modifier, an
 * element that is malformed. One criterion that is false makes the whole false; no criterion is true.
 *
 * Does NOT look at includes, sorting or `_filter`. An undecided answer is no yes.
 *
 * @see https://hl7.org/fhir/R4/search.html
 */
export function matches(
  resource: unknown,
  criteria: readonly SearchCriterion[],
  options: ReferenceOptions = {},
): Verdict {
  const type = isRecord(resource) ? own(resource, "resourceType") : undefined;
  if (!isRecord(resource) || typeof type !== "string" || !isResourceType(type)) return "undecided";
  return allOf(criteria, (criterion) => matchCriterion(resource, type, criterion, options));
}

const PREFIXED: ReadonlySet<string> = new Set(["number", "date", "quantity"]);

type Resource = Readonly<Record<string, unknown>>;

function matchCriterion(
  resource: Resource,
  type: string,
  criterion: SearchCriterion,
  options: ReferenceOptions,
): Verdict {
  const { known, steps, on, parameter, modifier, values } = criterion;
  if (!known || steps.length > 0) return "undecided";
  if (!on.includes(type) && !on.includes("*")) return false;
  if (parameter === "_type") return values.includes(type);
  const definition = searchParameter(type, parameter);
  const paths = definition === undefined ? [] : elementPathsOf(definition);
  // A server ignores an empty value, which would widen what was meant to narrow.
  if (definition === undefined || paths.length === 0 || values.length === 0 || values.includes("")) return "undecided";

  const elements = elementsAt(resource, paths);
  if (modifier === "missing") return matchMissing(elements, values, options);
  const judge = (value: string): Verdict =>
    anyOf(elements, (element) => matchValue(element, definition, value, modifier, options));
  if (modifier === "not") return matchNot(values.map(judge));
  if (PREFIXED.has(definition.type) && isUncertainInequality(values, elements)) return "undecided";
  return anyOf(values, judge);
}

interface Element {
  readonly value: unknown;
  readonly path: ElementPath;
}

function elementsAt(resource: Resource, paths: readonly ElementPath[]): readonly Element[] {
  const elements: Element[] = [];
  const note = (value: unknown, into: Element[], path: ElementPath) => {
    if (value !== null && value !== undefined) into.push({ value, path });
  };
  for (const path of paths) visitElements(resource, path, note, elements);
  return elements;
}

function matchValue(
  { value: element, path }: Element,
  { type, targets, code }: SearchParameter,
  value: string,
  modifier: string | undefined,
  options: ReferenceOptions,
): Verdict {
  switch (type) {
    case "token":
      if (modifier !== undefined && modifier !== "not") return "undecided";
      return code === "_id" ? element === value : matchToken(element, path.leaf, value);
    case "reference":
      return matchReference(element, path, value, modifier, targets, options);
    case "string":
      return matchText(element, path.leaf, value, modifier);
    case "uri":
      return matchUri(element, path.leaf, value, modifier);
    case "date":
      return matchDate(element, path.leaf, value);
    case "number":
      return matchNumber(element, value);
    case "quantity":
      return matchQuantity(element, path.leaf, value);
    case "composite":
    case "special":
      return "undecided";
  }
}

/** `:not` also finds what has no value. Of several values R4 does not say whether one or all are meant. */
function matchNot(verdicts: readonly Verdict[]): Verdict {
  const [first] = verdicts;
  return first !== undefined && verdicts.every((verdict) => verdict === first) ? not(first) : "undecided";
}

function matchMissing(elements: readonly Element[], values: readonly string[], options: ReferenceOptions): Verdict {
  const [value] = values;
  if (values.length !== 1 || (value !== "true" && value !== "false")) return "undecided";
  const present = anyOf(elements, (element) => hasValue(element, options));
  return value === "true" ? not(present) : present;
}

/** An element that holds only extensions is there for some servers and missing for others. */
function hasValue({ value, path }: Element, options: ReferenceOptions): Verdict {
  if (Array.isArray(value)) return "undecided";
  if (isRecord(value) && Object.keys(value).every((key) => key === "extension" || key === "id")) return "undecided";
  if (path.only === undefined) return true;
  const parsed = readReference(value, options);
  return parsed?.kind === "literal" ? parsed.type === path.only : "undecided";
}

/** `ne` on several elements: whether one or all must differ, R4 leaves open. */
function isUncertainInequality(values: readonly string[], elements: readonly Element[]): boolean {
  return elements.length > 1 && values.some((value) => value.startsWith("ne"));
}
