import { compartmentParameters } from "@wardline/fhir-r4";
import type { GrantClause, Interaction } from "@wardline/policy-types";

export type Pairs = readonly (readonly [name: string, value: string])[];

/** What is added to a search so that the backend looks no further than the grant does. */
export interface Narrowing {
  readonly added: Pairs;
  /** Everything it is narrowed by, what the client asked itself included. Set for one search of several. */
  readonly wanted?: Pairs;
  /** The one patient it is narrowed to, and by which parameter. */
  readonly patient?: { readonly parameter: string; readonly id: string };
  /** What is carried out in place of what was asked of several types or records. Absent: what was asked. */
  readonly at?: Pick<Interaction, "code" | "type" | "id" | "path">;
}

/** Parameters a bound caller's request is forwarded without: the guard needs whole resources, and gives no total. */
const TAKEN_OUT: ReadonlySet<string> = new Set(["_total", "_elements", "_summary"]);

/** With any modifier: `_elements:exclude` of some servers takes out what is judged by. */
export function isTakenOut(name: string): boolean {
  const colon = name.indexOf(":");
  return TAKEN_OUT.has(colon < 0 ? name : name.slice(0, colon));
}

/**
 * Translates the clauses that cover a search on one type into search parameters. An optimisation, and what keeps page
 * sizes from telling of hidden records; what cannot be translated is left to the guard, which is the guarantee.
 *
 * @param clauses those that reach the type with `s`
 */
export function narrow(type: string, clauses: readonly GrantClause[], asked: Pairs): Narrowing {
  const patient = patientOf(type, clauses);
  const wanted: Pairs = [
    ...(patient === undefined
      ? []
      : [[patient.parameter, type === "Patient" ? patient.id : `Patient/${patient.id}`] as const]),
    ...filterOf(clauses),
  ];
  const added = wanted.filter(([name, value]) => !asked.some((pair) => pair[0] === name && pair[1] === value));
  return { added, ...(patient === undefined ? {} : { patient }) };
}

/** One patient for all clauses, by one parameter; an OR over several parameters has no spelling in a search. */
function patientOf(type: string, clauses: readonly GrantClause[]): Narrowing["patient"] {
  const [first, ...others] = clauses;
  const compartment = first?.compartment;
  if (compartment === undefined || others.some((other) => other.compartment?.id !== compartment.id)) return undefined;
  const parameters = compartmentParameters(type, compartment.rule);
  const [parameter] = parameters;
  if (parameter === undefined || (compartment.rule === "full" && parameters.length > 1)) return undefined;
  return { parameter, id: compartment.id };
}

/** A clause without filter needs none; several filters on one parameter are its values, ORed. */
function filterOf(clauses: readonly GrantClause[]): Pairs {
  const filters = clauses.map(({ filter }) => filter);
  const [first = []] = filters;
  if (filters.length === 1) return first;
  const name = first[0]?.[0];
  if (name === undefined || !filters.every((filter) => isOne(filter, name))) return [];
  return [[name, [...new Set(filters.flatMap((filter) => filter.map(([, value]) => value)))].join(",")]];
}

function isOne(filter: Pairs, name: string): boolean {
  return filter.length === 1 && filter.every((pair) => pair[0] === name);
}

/** The pairs a bound caller's request is forwarded with. */
export function forwardedPairs(asked: Pairs, narrowing: Narrowing | undefined): Pairs {
  const isSpread = narrowing?.at !== undefined;
  const kept = asked.filter(([name]) => !isTakenOut(name) && !(isSpread && name === "_type"));
  return [...kept, ...(narrowing?.added ?? [])];
}

/** Takes what was added out again, for links that the client reads; each added pair once. */
export function withoutAdded(pairs: Pairs, { added }: Narrowing): Pairs {
  const left = [...added];
  return pairs.filter(([name, value]) => {
    const at = left.findIndex((pair) => pair[0] === name && pair[1] === value);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
