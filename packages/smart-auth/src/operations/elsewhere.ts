import { type Decision, deny, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { coversWithContained } from "../guard/contained.ts";
import { RESOURCE_NOT_COVERED, STORED_UNKNOWN } from "../problems.ts";
import type { FhirResource } from "../resource.ts";
import { isMemberType, type Rights } from "../rights.ts";
import { readResource, type Store, type StoredReference } from "../stored.ts";
import { isBare, isIdentifierOf, isSamePerson } from "./identity.ts";
import { type Mentions, mentionsOf } from "./mentions.ts";
import type { Resolved } from "./resolve.ts";

/** More resources of this server than these are not looked up for one submission. */
const LOOKED_UP_LIMIT = 20;

export interface ElsewhereFacts {
  readonly rights: Rights;
  readonly store: Store;
}

const refused = (because: string): Decision<never> => deny(RESOURCE_NOT_COVERED, [because]);

/**
 * What speaks against the persons and records that a submission names: there is no other patient among them, this one is
 * described as the store knows them, and the records of this server may be read.
 */
export async function elsewhereFault(
  { resources, addresses }: Resolved,
  patient: string,
  { rights, store }: ElsewhereFacts,
): Promise<Decision<never> | undefined> {
  const mentions = resources.map((resource) => mentionsOf(resource, addresses, rights.references));
  if (mentions.some(({ undecided }) => undecided)) return refused("somebody is named who cannot be told");
  if (mentions.some(({ patients }) => [...patients].some((id) => id !== patient)))
    return refused("another patient is named");
  const persons = resources.filter(({ resourceType, ...person }) => resourceType === "Patient" && !isBare(person));
  const identifiers = mentions.flatMap((one) => one.identifiers);
  const records = lookedUp(resources, mentions);
  if (records.length > LOOKED_UP_LIMIT) return refused("more is referred to than is looked up");
  const isDescribed = identifiers.length > 0 || persons.length > 0;
  const asked: StoredReference[] = [...(isDescribed ? [{ type: "Patient", id: patient }] : []), ...records];
  const found = await readAll(asked, { rights, store });
  if (found.kind === "deny") return found;
  const [stored] = found.grant;
  const isThem = !isDescribed || (stored !== undefined && describes({ persons, identifiers }, stored));
  return isThem ? undefined : refused("the patient is described as another");
}

function describes(
  { persons, identifiers }: { readonly persons: readonly FhirResource[]; readonly identifiers: readonly Json[] },
  stored: FhirResource,
): boolean {
  return (
    persons.every((person) => isSamePerson(person, stored)) &&
    identifiers.every((identifier) => isIdentifierOf(identifier, stored))
  );
}

/** All of them, in order. A9: one that may not be read is refused like one that is absent. */
async function readAll(
  asked: readonly StoredReference[],
  { rights, store: { read } }: ElsewhereFacts,
): Promise<Decision<readonly FhirResource[]>> {
  if (asked.length === 0) return permit([], []);
  if (read === undefined) return deny(STORED_UNKNOWN, ["no way to judge what a submission refers to"]);
  const answers = await Promise.all(asked.map((reference) => readResource(read, reference)));
  const found: FhirResource[] = [];
  for (const answer of answers) {
    if (answer.kind === "deny") return answer;
    if (answer.grant === undefined || !coversWithContained(rights, answer.grant, ["r"])) {
      return refused("what the submission refers to may not be read");
    }
    found.push(answer.grant);
  }
  return permit(found, []);
}

/** Records of patients that are no part of the submission. Those of nobody in particular are not asked for. */
function lookedUp(resources: readonly FhirResource[], mentions: readonly Mentions[]): readonly StoredReference[] {
  const own = new Set(
    resources.flatMap(({ resourceType, id }) => (typeof id === "string" ? [`${resourceType}/${id}`] : [])),
  );
  const named = new Map(mentions.flatMap((one) => [...one.resources]));
  return [...named]
    .filter(([key, { type }]) => !own.has(key) && isMemberType(type, "full"))
    .map(([, reference]) => reference);
}
