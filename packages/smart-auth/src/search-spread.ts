import type { Interaction, SearchQuery } from "@wardline/policy-types";
import type { Narrowing } from "./narrow.ts";
import type { Rights } from "./rights.ts";
import { PART_LIMIT, searchParts } from "./search-parts.ts";

/**
 * The searches of single types that together find what a search over several types asks for, each narrowed to the grant.
 * `undefined` when the types are not named, or there would be too many searches.
 *
 * @see https://hl7.org/fhir/R4/http.html#search
 */
export function spreadParts(
  { path, compartment }: Interaction,
  types: readonly string[],
  rights: Rights,
  { pairs }: SearchQuery,
): readonly Narrowing[] | undefined {
  // The form of a POST search would have to go to several places.
  if (types.includes("*") || path.endsWith("/_search")) return undefined;
  const asked = pairs.filter(([name]) => name !== "_type");
  const parts: Narrowing[] = [];
  for (const type of new Set(types)) {
    const ofType = searchParts(type, rights.clausesFor(type, "s"), asked);
    if (ofType === undefined) return undefined;
    const at = {
      code: "search-type",
      type,
      path: compartment === undefined ? `/${type}` : `${path.replace(/\*$/, "")}${type}`,
    } as const;
    parts.push(...ofType.map((part) => ({ ...part, at })));
  }
  return parts.length > PART_LIMIT ? undefined : parts;
}

/**
 * The history of all Patients, for whom only one may see, is the history of that one: no other record stands in it. A
 * history takes no search parameter, so of other types there is no such question.
 *
 * @see https://hl7.org/fhir/R4/http.html#history
 */
export function ownHistory(rights: Rights): Narrowing | undefined {
  const clauses = rights.clausesFor("Patient", "s");
  const ids = new Set(clauses.map(({ compartment }) => compartment?.id));
  const [id] = ids;
  const isOne =
    ids.size === 1 &&
    clauses.every(({ compartment, filter }) => compartment?.rule === "subject" && filter.length === 0);
  if (!isOne || id === undefined) return undefined;
  return { added: [], at: { code: "history-instance", type: "Patient", id, path: `/Patient/${id}/_history` } };
}
