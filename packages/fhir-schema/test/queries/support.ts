import { parseInteraction } from "@wardline/fhir-r4";
import type { QueryLimits } from "../../src/queries/limits.ts";
import { checkSearch, type QueryVerdict } from "../../src/queries/search.ts";

export const LIMITS: QueryLimits = {
  maxCount: 1000,
  maxIncludes: 10,
  maxChain: 3,
  maxParameters: 100,
  maxValues: 1000,
  maxIssues: 20,
  extraParameters: new Set(),
};

/** What is found in `Type?query`, as it would stand behind a GET. */
export function check(url: string, limits: Partial<QueryLimits> = {}, lenient = false): QueryVerdict {
  const [path = "", ...query] = url.split("?");
  const { search, code, type } = parseInteraction({ method: "GET", path: `/${path}`, query: query.join("?") });
  if (search === undefined) throw new Error("the row is no search");
  const of = code.startsWith("history") ? "history" : "search";
  return checkSearch(search, { of, type, lenient }, { ...LIMITS, ...limits });
}
