import { compartmentParameters } from "@wardline/fhir-r4";
import {
  type Decision,
  deny,
  type Interaction,
  type Problem,
  permit,
  type SearchCriterion,
  type SearchQuery,
} from "@wardline/policy-types";
import type { Access } from "./access.ts";
import { type Narrowing, narrow } from "./narrow.ts";
import { NOT_FOUND, PARAMETER_UNKNOWN, SEARCH_REFUSED } from "./problems.ts";
import type { Rights } from "./rights.ts";
import { searchParts } from "./search-parts.ts";
import { ownHistory, spreadParts } from "./search-spread.ts";

/** What a search is judged with. */
export interface SearchFacts {
  readonly interaction: Interaction;
  readonly rights: Rights;
  readonly extraParameters: ReadonlySet<string>;
  /** A search that no single one can narrow may go on as several, page by page. Default false. */
  readonly splits?: boolean;
  /** The refusal when a type the search brings in is not covered. */
  readonly scopeInsufficient: (type: string, letter: "r" | "s") => Problem;
}

/** Parameters that look into other resources, other types or unread text (A1). */
const FAR_REACHING: ReadonlySet<string> = new Set(["_filter", "_query", "_list", "_content", "_text", "_has"]);

const EMPTY: SearchQuery = { criteria: [], includes: [], sort: [], control: [], pairs: [] };

/**
 * Decides a search or a history, whose base types the caller can reach: is every part of it covered? Chains, `_has` and
 * their like must stay on data the caller may read without bound; what is not known is refused, because a server that
 * ignores a parameter widens the search (A1, A2).
 *
 * Does NOT look at the answer: every resource in it is judged again.
 */
export function decideSearch(facts: SearchFacts): Decision<Access> {
  const { interaction, rights } = facts;
  const search = interaction.search ?? EMPTY;
  const types = baseTypes(interaction);
  const letter = interaction.code === "history-instance" ? "r" : "s";
  const bound = !types.every((type) => rights.reachesAll(type, letter));
  const narrowings = bound && letter === "s" ? narrowSearch(facts, types, search) : {};
  const { narrowing, parts } = narrowings;
  const refused =
    unknownParameter(search, facts) ??
    compartmentFault(interaction, types, bound, rights) ??
    spreadFault(interaction, types, narrowings, rights) ??
    controlFault(search, bound, rights) ??
    (parts === undefined ? undefined : orderFault(search)) ??
    criteriaFault(search, facts, narrowing) ??
    includeFault(search, facts);
  if (refused !== undefined) return refused;
  const because = [bound ? "search is bound" : "search is not bound", ...(narrowing === undefined ? [] : ["narrowed"])];
  return permit({ interaction, bound, ...narrowings, because }, because);
}

/**
 * Where no search says only what bound scopes cover of several types, or of the history of many records, pages would come
 * out short by what is hidden, and tell how much that is (A9). What single patients withhold is another matter.
 */
function spreadFault(
  { code }: Interaction,
  types: readonly string[],
  { narrowing }: Pick<Access, "narrowing">,
  rights: Rights,
): Decision<never> | undefined {
  const isSpread = SPREAD.has(code) && narrowing === undefined;
  if (!isSpread || types.every((type) => rights.grantsAll(type, "s"))) return undefined;
  return deny(SEARCH_REFUSED, ["a page over records that may be hidden; each type can be searched by itself"]);
}

const SPREAD: ReadonlySet<Interaction["code"]> = new Set(["search-system", "history-type", "history-system"]);

/** The parts follow each other; an order across them would need all of them at once. */
function orderFault({ sort }: SearchQuery): Decision<never> | undefined {
  return sort.length > 0 ? deny(SEARCH_REFUSED, ["_sort over several searches"]) : undefined;
}

export function baseTypes({ type, touches }: Interaction): readonly string[] {
  if (type !== undefined) return [type];
  const named = touches.filter(({ via }) => via === "base").map((touch) => touch.type);
  return named.length > 0 ? named : ["*"];
}

function narrowSearch(
  { interaction, rights, splits }: SearchFacts,
  types: readonly string[],
  search: SearchQuery,
): Pick<Access, "narrowing" | "parts"> {
  const { code, compartment } = interaction;
  const [type, ...others] = types;
  if (SPREAD.has(code) && (type === "*" || others.length > 0 || compartment === undefined)) {
    // What scopes cover whole is asked as it is, whatever single patients withhold: each resource of it is judged.
    if (types.every((one) => rights.grantsAll(one, "s"))) return {};
    if (code === "history-type" && type === "Patient") return withNarrowing(ownHistory(rights));
    if (code !== "search-system" || splits !== true) return {};
    const spread = spreadParts(interaction, types, rights, search);
    return { ...withNarrowing(spread?.[0]), ...(spread === undefined || spread.length < 2 ? {} : { parts: spread }) };
  }
  const isSearch = code === "search-type" || (code === "search-system" && compartment !== undefined);
  // A history takes no search parameters, and types that share a search do not share the name of the patient.
  if (!isSearch || type === undefined || type === "*" || others.length > 0) return {};
  const clauses = rights.clausesFor(type, "s");
  const parts = splits === true ? searchParts(type, clauses, search.pairs) : undefined;
  const [first] = parts ?? [];
  if (first === undefined) return { narrowing: narrow(type, clauses, search.pairs) };
  return parts?.length === 1 ? { narrowing: first } : { narrowing: first, ...(parts === undefined ? {} : { parts }) };
}

function withNarrowing(narrowing: Narrowing | undefined): Pick<Access, "narrowing"> {
  return narrowing === undefined ? {} : { narrowing };
}

function unknownParameter(search: SearchQuery, { extraParameters }: SearchFacts): Decision<never> | undefined {
  const isUnknown = ({ known, raw }: SearchCriterion) => !known && !extraParameters.has(raw);
  if (search.criteria.some(isUnknown)) return deny(PARAMETER_UNKNOWN, ["a search parameter is not known"]);
  if (search.sort.some(({ known }) => !known)) return deny(PARAMETER_UNKNOWN, ["_sort by something not known"]);
  if (search.control.some(({ modifier }) => modifier !== undefined)) {
    return deny(PARAMETER_UNKNOWN, ["a control parameter with a modifier"]);
  }
  return undefined;
}

/** Whose records are listed under `Patient/1/`? Another's compartment looks like one that does not exist (A9). */
function compartmentFault(
  { compartment }: Interaction,
  types: readonly string[],
  bound: boolean,
  rights: Rights,
): Decision<never> | undefined {
  if (compartment === undefined) return undefined;
  if (compartment.type !== "Patient") {
    const readable = rights.reachesAll(compartment.type, "r") || rights.reachesAll(compartment.type, "s");
    return readable ? undefined : deny(SEARCH_REFUSED, ["a compartment the caller may not read without bound"]);
  }
  if (!bound) return undefined;
  const isOwn = types.some((type) =>
    rights.clausesFor(type, "s").some((clause) => (clause.compartment?.id ?? compartment.id) === compartment.id),
  );
  return isOwn ? undefined : deny(NOT_FOUND, ["another patient's compartment"]);
}

/** A count is an answer about records nobody judged. */
function controlFault(search: SearchQuery, bound: boolean, rights: Rights): Decision<never> | undefined {
  for (const { name, value } of search.control) {
    const counts = (name === "_summary" && /count/i.test(value)) || (name === "_count" && !/[1-9]/.test(value));
    if (bound && counts) return deny(SEARCH_REFUSED, ["a count of records that may be hidden"]);
    const intoContainers = (name === "_contained" && value !== "false") || name === "_containedType";
    if (intoContainers && !rights.reachesAll("*", "s")) return deny(SEARCH_REFUSED, ["a search into containers"]);
  }
  return undefined;
}

function criteriaFault(
  search: SearchQuery,
  facts: SearchFacts,
  narrowing: Narrowing | undefined,
): Decision<never> | undefined {
  const { rights } = facts;
  for (const criterion of search.criteria) {
    if (FAR_REACHING.has(criterion.parameter) && !rights.reachesAll("*", "s")) {
      return deny(SEARCH_REFUSED, [`${criterion.parameter} reaches beyond the grant`]);
    }
    if (criterion.steps.length === 0) continue;
    const reached = criterion.steps.flatMap((step) => step.types);
    if (reached.every((type) => rights.isOpen(type)) || asksOwnPatient(criterion, facts, narrowing)) continue;
    return deny(SEARCH_REFUSED, ["a chain or _has into data that may be hidden"]);
  }
  return undefined;
}

/**
 * `Observation?patient.name=…` of a search that is narrowed to that very patient: whatever passes the guard is about
 * this patient alone, so the chain can only have asked about this patient.
 */
function asksOwnPatient(
  { steps, known }: SearchCriterion,
  { interaction, rights }: SearchFacts,
  narrowing: Narrowing | undefined,
): boolean {
  const [step, ...more] = steps;
  const patient = narrowing?.patient;
  if (step?.kind !== "chain" || more.length > 0 || !known || patient === undefined || interaction.type === undefined) {
    return false;
  }
  const saysWhom = compartmentParameters(interaction.type, "subject");
  if (!saysWhom.includes(patient.parameter) || ![patient.parameter, "patient"].includes(step.parameter)) return false;
  if (step.types.length !== 1 || step.types[0] !== "Patient") return false;
  return (["r", "s"] as const).some((letter) =>
    rights
      .clausesFor("Patient", letter)
      .some(
        ({ compartment, filter }) =>
          compartment?.id === patient.id && compartment.rule === "subject" && filter.length === 0,
      ),
  );
}

/** An include must be able to bring in something the caller may see; the rest is taken out of the answer. */
function includeFault(search: SearchQuery, { rights, scopeInsufficient }: SearchFacts): Decision<never> | undefined {
  for (const { targets } of search.includes) {
    const [first = "*"] = targets;
    if (targets.some((type) => rights.reaches(type, ["r", "s"]))) continue;
    return deny(scopeInsufficient(first, "r"), ["an include of a type no scope covers"]);
  }
  return undefined;
}
