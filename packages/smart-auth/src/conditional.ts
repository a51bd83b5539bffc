import { isId, matches, renderQuery } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, permit, type SearchQuery } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access } from "./access.ts";
import { coversWithContained } from "./guard/contained.ts";
import { forwardedPairs, type Narrowing } from "./narrow.ts";
import { ANSWER_NOT_FHIR, CONDITION_AMBIGUOUS, CONDITION_REFUSED } from "./problems.ts";
import { isFhirResource, isObject, objectsOf } from "./resource.ts";
import { decideSearch, type SearchFacts } from "./search.ts";
import { askStore, type Store } from "./stored.ts";

export interface ConditionFacts extends SearchFacts {
  readonly store: Store;
}

/** The one resource within the grant that the condition selects; no id: there is none. */
export interface Selected {
  readonly id?: string;
}

/**
 * Resolves the condition of a conditional interaction as the search it is, within the grant and no further: what the
 * caller may not see is not selected, and whether it exists makes no difference (A9, A11). Several matches are refused, as
 * R4 has it for update and patch; for delete R4 leaves it to the server.
 *
 * Does NOT hold what it found still: the write that follows names its version.
 *
 * @see https://hl7.org/fhir/R4/http.html#cond-update
 */
export async function selectByCondition(facts: ConditionFacts): Promise<Decision<Selected>> {
  const { interaction, store } = facts;
  const { type, condition } = interaction;
  if (condition === undefined || type === undefined || store.search === undefined) {
    return deny(CONDITION_REFUSED, ["no way to resolve a condition within the grant"]);
  }
  const searched = decideSearch({ ...facts, splits: true, interaction: asSearch(interaction, type, condition) });
  if (searched.kind === "deny") return searched;
  const selected = new Set<string>();
  for (const narrowing of narrowingsOf(searched.grant)) {
    const found = await search(facts, store.search, { type, condition, narrowing });
    if (found.kind === "deny") return found;
    for (const id of found.grant) selected.add(id);
  }
  if (selected.size > 1) return deny(CONDITION_AMBIGUOUS, ["the condition selects several within the grant"]);
  const [id] = selected;
  return permit(id === undefined ? {} : { id }, ["condition resolved within the grant"]);
}

function asSearch(interaction: Interaction, type: string, condition: SearchQuery): Interaction {
  const { condition: _, id: __, ...rest } = interaction;
  return { ...rest, code: "search-type", path: `/${type}`, type, search: condition };
}

function narrowingsOf({ parts, narrowing }: Access): readonly (Narrowing | undefined)[] {
  return parts ?? [narrowing];
}

interface Question {
  readonly type: string;
  readonly condition: SearchQuery;
  readonly narrowing: Narrowing | undefined;
}

async function search(
  { rights }: ConditionFacts,
  ask: NonNullable<Store["search"]>,
  { type, condition, narrowing }: Question,
): Promise<Decision<readonly string[]>> {
  const query = renderQuery(forwardedPairs(condition.pairs, narrowing));
  const asked = await askStore(() => ask({ type, query }));
  if (asked.kind === "deny") return asked;
  const page = readPage(asked.grant);
  if (page === undefined) return deny(ANSWER_NOT_FHIR, ["the store's answer is no searchset"]);
  const ids = page.resources.flatMap((resource) => {
    if (!isFhirResource(resource) || resource.resourceType !== type) return [];
    const { id } = resource;
    const isSelected =
      coversWithContained(rights, resource, ["s"]) &&
      matches(resource, condition.criteria, rights.references) !== false;
    return isSelected && typeof id === "string" && isId(id) ? [id] : [];
  });
  // Two are too many already; with fewer, the rest of the matches would have to be seen.
  const isWhole = !page.hasNext || new Set(ids).size > 1;
  return isWhole ? permit(ids, ["searched"]) : deny(CONDITION_AMBIGUOUS, ["the condition selects more than a page"]);
}

function readPage(bundle: Json): { readonly resources: readonly Json[]; readonly hasNext: boolean } | undefined {
  if (!isFhirResource(bundle) || bundle.resourceType !== "Bundle" || bundle["type"] !== "searchset") return undefined;
  const [entries, links] = [objectsOf(bundle["entry"]), objectsOf(bundle["link"])];
  if (entries === undefined || links === undefined) return undefined;
  const isMatch = ({ search: about }: { [name: string]: Json }) => !isObject(about) || about["mode"] === "match";
  const resources = entries.filter(isMatch).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
  return { resources, hasNext: links.some(({ relation }) => relation === "next") };
}
