import { compartmentParameters } from "@wardline/fhir-r4";
import type { GrantClause } from "@wardline/policy-types";
import type { Narrowing, Pairs } from "./narrow.ts";

/** More than this many searches for one question are left to the guard alone. */
export const PART_LIMIT = 16;

interface Part {
  readonly patient?: NonNullable<Narrowing["patient"]>;
  readonly filter: Pairs;
}

/**
 * The searches that together find what some clauses cover on one type, and nothing else: one for each way in which a
 * resource can be covered. `undefined` when there are too many of them.
 *
 * @param clauses those that reach the type with `s`
 */
export function searchParts(
  type: string,
  clauses: readonly GrantClause[],
  asked: Pairs,
): readonly Narrowing[] | undefined {
  const parts = merged(clauses.flatMap((clause) => partsOf(type, clause)));
  if (parts.length === 0 || parts.length > PART_LIMIT) return undefined;
  return parts.map(({ patient, filter }) => {
    const wanted = [...(patient === undefined ? [] : [pairOf(type, patient)]), ...filter];
    const added = wanted.filter(([name, value]) => !asked.some((pair) => pair[0] === name && pair[1] === value));
    return { added, wanted, ...(patient === undefined ? {} : { patient }) };
  });
}

function pairOf(type: string, { parameter, id }: NonNullable<Narrowing["patient"]>): Pairs[number] {
  return [parameter, parameter === "_id" || type === "Patient" ? id : `Patient/${id}`];
}

/** An OR over several parameters has no spelling in one search. */
function partsOf(type: string, { compartment, filter }: GrantClause): readonly Part[] {
  const parameters = compartment === undefined ? [] : compartmentParameters(type, compartment.rule);
  if (compartment === undefined || parameters.length === 0) return [{ filter }];
  return parameters.map((parameter) => ({ patient: { parameter, id: compartment.id }, filter }));
}

/** Without those that another one contains, and with one-parameter filters of the same parameter as one list of values. */
function merged(parts: readonly Part[]): readonly Part[] {
  const kept: Part[] = [];
  for (const part of parts) {
    if (kept.some((other) => contains(other, part))) continue;
    const left = kept.filter((other) => !contains(part, other));
    const partner = left.findIndex((other) => canJoin(other, part));
    if (partner >= 0) left[partner] = joined(left[partner] as Part, part);
    else left.push(part);
    kept.splice(0, kept.length, ...left);
  }
  return kept;
}

function contains(wide: Part, narrow: Part): boolean {
  const isWider = wide.patient === undefined || isSamePatient(wide, narrow);
  return isWider && wide.filter.every(([name, value]) => hasPair(narrow.filter, name, value));
}

function isSamePatient({ patient: one }: Part, { patient: other }: Part): boolean {
  return one?.id === other?.id && one?.parameter === other?.parameter;
}

function hasPair(pairs: Pairs, name: string, value: string): boolean {
  return pairs.some((pair) => pair[0] === name && pair[1] === value);
}

function canJoin(one: Part, other: Part): boolean {
  const [first] = one.filter;
  const isSimple = one.filter.length === 1 && other.filter.length === 1 && first?.[0] === other.filter[0]?.[0];
  return isSimple && isSamePatient(one, other);
}

function joined(one: Part, other: Part): Part {
  const [name = "", value = ""] = one.filter[0] ?? [];
  const values = [...new Set([...value.split(/(?<!\\),/), ...(other.filter[0]?.[1] ?? "").split(/(?<!\\),/)])];
  return { ...one, filter: [[name, values.join(",")]] };
}
