import type { SearchInclude } from "@wardline/policy-types";
import { isResourceType } from "./resource-types.ts";
import { searchParameter, searchParametersOf } from "./search-parameters.ts";

const ANY: readonly string[] = Object.freeze(["*"]);

/** `_include`, `_revinclude`, and how they are spelled when they repeat on what they bring in. */
export function isIncludeName(name: string): boolean {
  return name.startsWith("_") && /^_(?:rev)?include(?::.*)?$/s.test(name);
}

/**
 * Reads one `_include` or `_revinclude`. Undefined when R4 has no such parameter, when the target is none of it, or
 * when the value lists several: what a server would then bring into the answer is anybody's guess.
 *
 * @see https://hl7.org/fhir/R4/search.html#include
 */
export function parseInclude(name: string, value: string): SearchInclude | undefined {
  const [keyword, modifier, ...more] = name.split(":");
  if (more.length > 0 || (modifier !== undefined && modifier !== "iterate" && modifier !== "recurse")) return undefined;
  const kind = keyword === "_include" ? "include" : "revinclude";
  const iterate = modifier !== undefined;
  if (value === "*") return { kind, iterate, source: "*", parameter: "*", targets: ANY };
  const [source = "", parameter = "", target, ...rest] = value.split(":");
  if (!isResourceType(source) || rest.length > 0) return undefined;
  const reached = targetsOf(source, parameter);
  if (reached === undefined || (target !== undefined && !isAmong(target, reached))) return undefined;
  const included = target === undefined ? reached : [target];
  return { kind, iterate, source, parameter, targets: kind === "include" ? included : [source] };
}

function targetsOf(source: string, code: string): readonly string[] | undefined {
  if (code !== "*") {
    const parameter = searchParameter(source, code);
    return parameter?.type === "reference" ? parameter.targets : undefined;
  }
  const all = new Set(searchParametersOf(source).flatMap((parameter) => parameter.targets));
  return all.has("*") ? ANY : [...all].sort();
}

function isAmong(target: string, reached: readonly string[]): boolean {
  return isResourceType(target) && (reached.includes(target) || reached.includes("*"));
}
