import { type Decision, deny, type Problem, permit } from "@wardline/policy-types";
import type { ParsedDlpOptions } from "./options.ts";
import { PHI_IN_HEADER, PHI_IN_URL, searchNeedsPost } from "./problems.ts";
import type { Found } from "./request.ts";

/**
 * Decides whether a request may carry what was found where it was found. The reasons name kinds and places.
 *
 * `searchable`: the request could be a POST `_search`. A conditional update or delete cannot, so its condition is told
 * and passes.
 *
 * @see https://hl7.org/fhir/R4/http.html#search
 */
export function decideDlp(
  found: readonly Found[],
  modes: Pick<ParsedDlpOptions, "path" | "query" | "headers" | "searches">,
  { searchable }: { readonly searchable: boolean },
): Decision<undefined> {
  const because = found.length === 0 ? ["nothing found"] : [...new Set(found.map(reason))];
  const at = (place: Found["place"]): readonly Found[] => found.filter((each) => each.place === place);
  const refusal = firstOf(
    modes.path === "refuse" && at("path").length > 0 ? PHI_IN_URL : undefined,
    modes.query === "refuse" && at("query").length > 0 ? PHI_IN_URL : undefined,
    modes.searches === "require-post" && searchable && at("search").length > 0
      ? searchNeedsPost([...new Set(at("search").map(({ name = "" }) => name))])
      : undefined,
    modes.headers === "refuse" && at("header").length > 0 ? PHI_IN_HEADER : undefined,
  );
  return refusal === undefined ? permit(undefined, because) : deny(refusal, because);
}

function reason({ place, entity, name }: Found): string {
  return entity === "parameter" ? `search by ${name} in the URL` : `${entity} in the ${place}`;
}

function firstOf(...problems: readonly (Problem | undefined)[]): Problem | undefined {
  return problems.find((problem) => problem !== undefined);
}
