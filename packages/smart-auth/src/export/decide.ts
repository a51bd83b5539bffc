import { isResourceType, RESOURCE_TYPES, renderQuery } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, type Problem, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access } from "../access.ts";
import { INTERACTION_UNKNOWN, OPERATION_NOT_ALLOWED, PARAMETER_UNKNOWN, SEARCH_REFUSED } from "../problems.ts";
import type { Rights } from "../rights.ts";
import type { ExportJob } from "./job.ts";

export interface KickOffFacts {
  readonly interaction: Interaction;
  readonly body?: Json | undefined;
  readonly rights: Rights;
  /** Types the route serves. Absent: every type. */
  readonly served?: ReadonlySet<string> | undefined;
  readonly scopeInsufficient: (type: string, letter: "r") => Problem;
}

/** Parameters of Bulk Data 2.0 that name what is wanted and reach nothing else. */
const TAKEN: ReadonlySet<string> = new Set(["_outputFormat", "_since", "_until", "_type", "_typeFilter"]);
const FORMATS: ReadonlySet<string> = new Set(["application/fhir+ndjson", "application/ndjson", "ndjson"]);

/**
 * Decides the kick-off of a Bulk Data export: only with scopes to read and search every resource of every type exported
 * (A8). A client that names no types gets those it has rights to, so the server is always told which.
 *
 * Does NOT take parameters in a body, or `patient` and `_elements`, which a server may understand otherwise than the judge.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html
 */
export function decideKickOff(facts: KickOffFacts): Decision<Access> {
  const { interaction, rights, served, body } = facts;
  const { operation, type, id, search } = interaction;
  const isPlace =
    operation?.level === "system" ||
    (operation?.level === "type" && type === "Patient") ||
    (operation?.level === "instance" && type === "Group" && id !== undefined);
  if (!isPlace) return deny(INTERACTION_UNKNOWN, ["$export is asked where Bulk Data has none"]);
  if (body !== undefined) return deny(OPERATION_NOT_ALLOWED, ["$export with parameters in a body"]);
  const pairs = search?.pairs ?? [];
  const isKnown = ([name, value]: readonly [string, string]) =>
    TAKEN.has(name) && (name !== "_outputFormat" || FORMATS.has(value));
  if (!pairs.every(isKnown)) return deny(PARAMETER_UNKNOWN, ["a parameter of $export is not known"]);

  const isFull = (one: string) => isGrantedWhole(one, rights);
  const named = pairs.flatMap(([name, value]) => (name === "_type" ? value.split(",") : []));
  if (!named.every(isResourceType)) return deny(PARAMETER_UNKNOWN, ["$export of what is no type"]);
  const types =
    named.length > 0 ? [...new Set(named)] : RESOURCE_TYPES.filter((one) => served?.has(one) !== false && isFull(one));
  const needed = [...types, ...(type === "Group" ? ["Group"] : [])];
  const missing = types.length === 0 ? "*" : needed.find((one) => served?.has(one) === false || !isFull(one));
  if (missing !== undefined)
    return deny(facts.scopeInsufficient(missing, "r"), ["$export of a type not covered whole"]);
  // A filter chooses among records that are judged; where it chains, it asks about others that are not.
  const isOpen = (one: string) => rights.reachesAll(one, "r") && rights.reachesAll(one, "s");
  const far = interaction.touches.some(({ type: touched, via }) => {
    const isOwn = via === "type-filter" && touched !== "*";
    return via !== "operation" && !(isOwn ? isFull(touched) : isOpen(touched));
  });
  if (far) return deny(SEARCH_REFUSED, ["a type filter of $export reaches further than the grant"]);

  const asked = pairs.filter(([name]) => name !== "_type");
  const query = renderQuery([...asked, ["_type", types.join(",")]]);
  const url = `${interaction.path.slice(1)}?${query}`;
  const because = ["export of types covered whole"];
  return permit({ interaction, bound: true, write: { url }, exports: { types }, because }, because);
}

/** What was granted when the job began must be granted still (A10). */
export function isGrantedStill({ types }: ExportJob, rights: Rights): boolean {
  return types.every((type) => isGrantedWhole(type, rights));
}

/**
 * By the scopes alone: what one patient withholds is missing from the files, where each line is judged, and does not keep
 * the records of all others from being exported.
 */
function isGrantedWhole(type: string, rights: Rights): boolean {
  return rights.grantsAll(type, "r") && rights.grantsAll(type, "s");
}
