import type { Interaction, SearchQuery } from "@wardline/policy-types";

/**
 * The search without the parameters that R4 does not have for its types, and which those are: what R4 lets a server do that
 * is asked for lenient handling. What stays is judged as ever; an unknown `_sort` stays, and is refused.
 *
 * @see https://hl7.org/fhir/R4/search.html#errors
 */
export function withoutUnknown(
  interaction: Interaction,
  extraParameters: ReadonlySet<string>,
): { readonly interaction: Interaction; readonly left: readonly string[] } {
  const search = SEARCHES.has(interaction.code) ? interaction.search : undefined;
  const unknown = search?.criteria.filter(({ known, raw }) => !known && !extraParameters.has(raw)) ?? [];
  if (search === undefined || unknown.length === 0) return { interaction, left: [] };
  const left = [...new Set(unknown.map(({ raw }) => raw))];
  return { interaction: { ...interaction, search: without(search, new Set(left)) }, left };
}

const SEARCHES: ReadonlySet<string> = new Set(["search-type", "search-system"]);

function without(search: SearchQuery, left: ReadonlySet<string>): SearchQuery {
  return {
    ...search,
    criteria: search.criteria.filter(({ raw }) => !left.has(raw)),
    pairs: search.pairs.filter(([name]) => !left.has(name)),
  };
}
