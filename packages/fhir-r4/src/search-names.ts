import type { SearchParameterType, SearchStep } from "@wardline/policy-types";
import { isResourceType, RESOURCE_TYPES } from "./resource-types.ts";
import { type SearchParameter, searchParameter } from "./search-parameters.ts";

/** The left side of a search pair, taken apart. */
export interface SearchName {
  readonly steps: readonly SearchStep[];
  readonly parameter: string;
  readonly on: readonly string[];
  readonly modifier?: string;
  readonly parameterType?: SearchParameterType;
  readonly known: boolean;
}

/** More steps than any client needs; beyond, the name is not known. */
const MAX_STEPS = 8;
const HAS = /^_has:([^:.]*):([^:.]*):(.*)$/s;

const MODIFIERS: Readonly<Record<SearchParameterType, readonly string[]>> = {
  string: ["missing", "exact", "contains", "text"],
  token: ["missing", "text", "not", "above", "below", "in", "not-in", "of-type", "ofType"],
  reference: ["missing", "identifier", "above", "below"],
  uri: ["missing", "above", "below"],
  number: ["missing"],
  date: ["missing"],
  quantity: ["missing"],
  composite: [],
  special: [],
};

/**
 * Follows the chain and `_has` steps of a name from the types searched. A step the definitions do not have ends the
 * walk with `known: false`; the steps taken so far stay.
 *
 * @see https://hl7.org/fhir/R4/search.html#chaining
 */
export function parseSearchName(types: readonly string[], name: string): SearchName {
  const steps: SearchStep[] = [];
  let on = types;
  let rest = name;
  while (steps.length <= MAX_STEPS) {
    const taken = rest.startsWith("_has:") ? hasStep(on, rest) : chainStep(on, rest, steps.length === 0);
    if (taken === "end") return finish(steps, on, rest);
    if (taken === undefined) break;
    steps.push(taken.step);
    on = taken.step.types;
    rest = taken.rest;
  }
  return { steps, parameter: rest, on, known: false };
}

type Growing<Value> = { -readonly [Key in keyof Value]: Value[Key] };
type Taken = { readonly step: SearchStep; readonly rest: string } | "end" | undefined;

function hasStep(on: readonly string[], text: string): Taken {
  const [, type = "", parameter = "", rest = ""] = HAS.exec(text) ?? [];
  const reference = isResourceType(type) ? searchParameter(type, parameter) : undefined;
  if (reference?.type !== "reference" || !meets(reference.targets, on)) return undefined;
  return { step: { kind: "has", parameter, types: [type] }, rest };
}

function chainStep(on: readonly string[], text: string, first: boolean): Taken {
  const dot = text.indexOf(".");
  if (dot < 0) return "end";
  const [parameter = "", type, ...more] = text.slice(0, dot).split(":");
  const found = definitionsOf(on, parameter, first);
  if (found === undefined || more.length > 0 || found.some((one) => one.type !== "reference")) return undefined;
  const reached = new Set(found.flatMap((one) => one.targets));
  if (type !== undefined && !(isResourceType(type) && meets([...reached], [type]))) return undefined;
  const types = type !== undefined ? [type] : reached.has("*") ? ["*"] : [...reached].sort();
  return { step: { kind: "chain", parameter, types }, rest: text.slice(dot + 1) };
}

function meets(targets: readonly string[], types: readonly string[]): boolean {
  return targets.includes("*") || types.includes("*") || types.some((type) => targets.includes(type));
}

function finish(steps: readonly SearchStep[], on: readonly string[], text: string): SearchName {
  const colon = text.indexOf(":");
  const parameter = colon < 0 ? text : text.slice(0, colon);
  const modifier = colon < 0 ? undefined : text.slice(colon + 1);
  const found = definitionsOf(on, parameter, steps.length === 0);
  const defining =
    steps.length === 0 ? on : expand(on).filter((type) => searchParameter(type, parameter) !== undefined);
  const name: Growing<SearchName> = { steps, parameter, on: defining.length > 0 ? defining : on, known: false };
  if (modifier !== undefined) name.modifier = modifier;
  const definition = found?.[0];
  if (found === undefined || definition === undefined) return name;
  const agreed = found.every((one) => one.type === definition.type);
  name.parameterType = definition.type;
  name.known = agreed && (modifier === undefined || allows(found, modifier));
  return name;
}

/**
 * The definitions of a parameter on the types it is asked of. Searching several types at once, all must have it; after
 * an untyped chain, the types that lack it are not meant. Undefined when there is none.
 */
function definitionsOf(
  on: readonly string[],
  code: string,
  everywhere: boolean,
): readonly SearchParameter[] | undefined {
  const types = everywhere ? on : expand(on);
  if (types.length === 1) {
    const only = searchParameter(types[0] as string, code);
    return only === undefined ? undefined : [only];
  }
  const found = types.map((type) => searchParameter(type, code)).filter((one) => one !== undefined);
  return found.length === 0 || (everywhere && found.length < types.length) ? undefined : found;
}

function expand(types: readonly string[]): readonly string[] {
  return types.includes("*") ? RESOURCE_TYPES : types;
}

function allows(definitions: readonly SearchParameter[], modifier: string): boolean {
  return definitions.every(
    ({ type, targets }) =>
      MODIFIERS[type].includes(modifier) ||
      (type === "reference" && isResourceType(modifier) && meets(targets, [modifier])),
  );
}
