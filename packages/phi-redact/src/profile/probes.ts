import { inlineMatchesOf, isResourceType, searchParameter } from "@wardline/fhir-r4";
import type { Interaction, SearchCriterion, SearchQuery } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Machine } from "./machine.ts";
import type { State } from "./steps.ts";

/** Elements of a datatype that a search looks at; of other types, all. A reference's `display` is not among them. */
const SEARCHED: ReadonlyMap<string, readonly string[]> = new Map([
  ["Reference", ["reference"]],
  ["CodeableConcept", ["coding"]],
  ["Coding", ["system", "code"]],
  ["Identifier", ["system", "value"]],
  ["ContactPoint", ["system", "value"]],
  ["Quantity", ["value"]],
  ["Money", ["value"]],
  ["Age", ["value"]],
  ["Period", ["start", "end"]],
  ["Range", ["low", "high"]],
]);
/** A modifier that looks at another element than the parameter does. */
const BY_MODIFIER: ReadonlyMap<string, readonly string[]> = new Map([
  ["text", ["text", "display"]],
  ["identifier", ["identifier"]],
  ["of-type", ["type", "system", "value"]],
]);
/** They look at everything, or at lists kept elsewhere. */
const ALL_CONTENT: ReadonlySet<string> = new Set(["_text", "_content", "_filter", "_query"]);

/** What a search must not ask, and may. */
export interface ProbeRules {
  readonly machine: Machine;
  /** Search parameters beyond R4 that read nothing hidden: a server's paging. Others R4 does not have are refused. */
  readonly extraParameters: ReadonlySet<string>;
  /** True: chains and `_has` must not reach clinical resources, some of which are withheld. */
  readonly withholds: boolean;
}

/**
 * Does a request search, sort or make a condition by an element the caller does not see? The matches would tell what the
 * answer withholds (A1).
 */
export function probes(interaction: Interaction, rules: ProbeRules): boolean {
  const { search, condition, entries } = interaction;
  return (
    [search, condition].some((query) => query !== undefined && queryProbes(query, interaction.type ?? "*", rules)) ||
    entries.some((entry) => probes(entry.interaction, rules))
  );
}

/**
 * Does a body bring in such a search? A server resolves `"reference": "Patient?birthdate=…"` before it stores, and whether it could
 * tells what matched.
 *
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
export function bodyProbes(interaction: Interaction, body: Json, rules: ProbeRules): boolean {
  return inlineMatchesOf(interaction, body).some(
    (match) => match === "unreadable" || queryProbes(match.search, match.type, rules),
  );
}

export function queryProbes(query: SearchQuery, type: string, rules: ProbeRules): boolean {
  return (
    query.criteria.some((criterion) => criterionProbes(criterion, rules)) ||
    query.sort.some(({ parameter }) => parameterProbes(type, parameter.replace(/^-/, ""), undefined, rules.machine)) ||
    query.control.some(({ name }) => ALL_CONTENT.has(name))
  );
}

function criterionProbes(criterion: SearchCriterion, { machine, withholds, extraParameters }: ProbeRules): boolean {
  const { on, parameter, modifier, steps, known, raw } = criterion;
  if (!known) return !extraParameters.has(raw);
  if (ALL_CONTENT.has(parameter)) return true;
  if (withholds && steps.length > 0 && on.some((type) => !ADMINISTRATIVE.has(type))) return true;
  const path = steps.flatMap(({ parameter: followed, types }) => types.map((type) => [type, followed] as const));
  return (
    on.some((type) => parameterProbes(type, parameter, modifier, machine)) ||
    path.some(([type]) => isResourceType(type) && machine.root(type) === "drop")
  );
}

/** Where no category of health information can be. */
const ADMINISTRATIVE: ReadonlySet<string> = new Set(
  "Patient Person RelatedPerson Practitioner PractitionerRole Organization OrganizationAffiliation Location HealthcareService Endpoint Device".split(
    " ",
  ),
);

function parameterProbes(type: string, code: string, modifier: string | undefined, machine: Machine): boolean {
  const state = machine.root(type === "*" ? anyType(machine) : type);
  if (state === "drop" || state === undefined) return true;
  const { expression = "", type: kind } = searchParameter(type, code) ?? {};
  // What cannot be followed (composites, positions) is refused where the profile touches the type's own elements.
  if (expression === "") return kind !== undefined && !UNREAD.has(code) && touches(state, machine);
  return expression.split(" ").some((path) => pathProbes(path, state, modifier, machine));
}

/** Stands for all types where a search names none: it then has only the parameters all of them share. */
function anyType({ profile }: Machine): string {
  return profile.only?.map((path) => path.split(".")[0] ?? "").find(isResourceType) ?? "Basic";
}

/** Read no element. */
const UNREAD: ReadonlySet<string> = new Set(["_type", "_list"]);

/** `telecom[system=email]@ContactPoint`, `subject>Patient`: the notation of fhir-r4's tables. */
function pathProbes(text: string, root: State, modifier: string | undefined, machine: Machine): boolean {
  const names = (text.split(/[@>]/)[0] ?? "").replaceAll(/\[[^[\]]*\]/g, "").split(".");
  let state: State | undefined = root;
  for (const name of names) {
    const step: ReturnType<Machine["step"]> = state && machine.step(state, name);
    if (step === undefined || step.kind === "drop" || step.kind === "act") return true;
    state = step.kind === "walk" ? step.state : undefined;
  }
  if (state === undefined) return false;
  const leaf = state;
  const searched = (modifier === undefined ? undefined : BY_MODIFIER.get(modifier)) ?? SEARCHED.get(leaf.type);
  const parts = (
    searched ?? [...leaf.elements.keys()].filter((name) => !name.endsWith("xtension") && name !== "id")
  ).filter((name) => leaf.elements.has(name));
  return parts.some((name) => {
    const step = machine.step(leaf, name);
    if (step?.kind === "walk" && step.element.type === "Coding") return pathProbes(name, leaf, undefined, machine);
    return step?.kind === "drop" || step?.kind === "act";
  });
}

/** Does any rule name an element of the type itself, beside narrative and extensions? */
function touches(state: State, machine: Machine): boolean {
  return [...state.elements].some(([name, { type }]) => {
    if (type === "Extension" || type === "Narrative" || type === "Resource") return false;
    const step = machine.step(state, name);
    return step?.kind === "drop" || step?.kind === "act";
  });
}
