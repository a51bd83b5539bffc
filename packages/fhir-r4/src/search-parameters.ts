import type { SearchParameterType } from "@wardline/policy-types";
import { type ElementPath, parseElementPath } from "./element-paths.ts";
import { PARAMETERS } from "./generated/search-parameters.ts";

/** A search parameter of R4 as it works on one resource type. */
export interface SearchParameter {
  readonly code: string;
  readonly type: SearchParameterType;
  /** Resource types a reference can lead to from this type; `["*"]` for any, `[]` for other parameter types. */
  readonly targets: readonly string[];
  /** Compact paths, separated by spaces; "" when the value cannot be read by walking the resource. */
  readonly expression: string;
}

/** Parsed once for each expression of the tables, which are a few hundred, when it is first asked for. */
const parsedPaths = new Map<string, readonly ElementPath[]>();

const LINE = /^(\S+) ([a-z]+)(?:\(([^)]*)\))?(?: (.+))?$/;

/** Types without `text`, on which `_text` means nothing. */
const NOT_DOMAIN_RESOURCES: ReadonlySet<string> = new Set(["Binary", "Bundle", "Parameters"]);

const sections: ReadonlyMap<string, string> = new Map(
  PARAMETERS.trim()
    .split("\n# ")
    .map((section) => {
      const head = section.indexOf("\n");
      return [section.slice(section.startsWith("# ") ? 2 : 0, head), section.slice(head + 1)];
    }),
);

type Parameters = ReadonlyMap<string, SearchParameter>;

/** Read from the tables when a type is first asked for. */
const byType = new Map<string, Parameters>();

function parametersOf(type: string): Parameters {
  const known = byType.get(type);
  if (known !== undefined) return known;
  const section = sections.get(type);
  // What is no type is not remembered: names come from requests.
  if (section === undefined) return NONE;
  const lines = section.trim().split("\n");
  const parameters = new Map(lines.map(parseLine).map((parameter) => [parameter.code, parameter]));
  byType.set(type, parameters);
  return parameters;
}

function parseLine(line: string): SearchParameter {
  const [, code = "", type = "", targets, expression = ""] = LINE.exec(line) ?? [];
  return Object.freeze({
    code,
    type: type as SearchParameterType,
    targets: Object.freeze(targets === undefined ? [] : targets.split(",")),
    expression,
  });
}

const NONE: Parameters = new Map();
/** Defined by the text of search.html only, not by a SearchParameter resource. */
const TEXT_ONLY = ["_list special", "_type special"].map(parseLine);
const forAll: Parameters = new Map([
  ...parametersOf("Resource"),
  ...TEXT_ONLY.map((parameter) => [parameter.code, parameter] as const),
]);
const forDomainResources = parametersOf("DomainResource");

/**
 * The parameter `code` on a resource type, or on every type when `type` is `*`.
 *
 * @see https://hl7.org/fhir/R4/searchparameter-registry.html
 */
export function searchParameter(type: string, code: string): SearchParameter | undefined {
  return (
    parametersOf(type).get(code) ??
    forAll.get(code) ??
    (NOT_DOMAIN_RESOURCES.has(type) || type === "*" ? undefined : forDomainResources.get(code))
  );
}

/** Every parameter defined on a type, those for all resources last. */
export function searchParametersOf(type: string): readonly SearchParameter[] {
  const shared = NOT_DOMAIN_RESOURCES.has(type) || type === "*" ? NONE : forDomainResources;
  return [...parametersOf(type).values(), ...forAll.values(), ...shared.values()];
}

/** The paths of a parameter, ready to be walked; [] when it is undecidable in memory. */
export function elementPathsOf(parameter: SearchParameter): readonly ElementPath[] {
  const { expression } = parameter;
  const known = parsedPaths.get(expression);
  if (known !== undefined) return known;
  const paths = Object.freeze(expression === "" ? [] : expression.split(" ").map(parseElementPath));
  parsedPaths.set(expression, paths);
  return paths;
}
