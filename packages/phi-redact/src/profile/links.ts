import { isResourceType, parseSearch } from "@wardline/fhir-r4";
import { type ProbeRules, queryProbes } from "./probes.ts";

/** Does a link search by what the caller does not see? Parameters R4 does not have are the server's own paging. */
export function linkProbes(url: string, rules: ProbeRules): boolean {
  const [path = "", query] = url.split("?");
  if (query === undefined) return false;
  const last = path.split("/").findLast((part) => isResourceType(part));
  const search = parseSearch([last ?? "*"], [...new URLSearchParams(query)]);
  return queryProbes({ ...search, criteria: search.criteria.filter(({ known }) => known) }, last ?? "*", rules);
}
