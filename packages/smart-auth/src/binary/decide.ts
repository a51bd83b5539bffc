import { parseReference, patientsOf, type ReferenceOptions } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, permit } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access, JudgedBinary } from "../access.ts";
import { coversWithContained } from "../guard/contained.ts";
import { NOT_FOUND, RESOURCE_NOT_COVERED } from "../problems.ts";
import { type FhirResource, isFhirResource, isObject } from "../resource.ts";
import type { Rights } from "../rights.ts";
import { askStore, readResource, type Store } from "../stored.ts";
import { binariesIn } from "./mentions.ts";

export interface BinaryFacts {
  readonly rights: Rights;
  readonly store: Store;
}

/**
 * Decides a read of a Binary with bound rights, before it is read: bytes cannot be judged, so what speaks for them is
 * (A13). That is the resource `securityContext` names; without one, every resource that refers to the Binary, all of which
 * must be covered, so that nobody gains it by referring to it. Whatever is missing, and an earlier version, looks absent.
 *
 * @see https://hl7.org/fhir/R4/binary.html#security
 */
export async function decideBinary(interaction: Interaction, facts: BinaryFacts): Promise<Decision<Access>> {
  const { code, id } = interaction;
  if (code !== "read" || id === undefined) return deny(NOT_FOUND, ["an earlier version of a Binary"]);
  const judged = await judgeBinary(id, facts);
  if (judged.kind === "deny") return judged;
  const because = ["Binary judged by what speaks for it"];
  return permit({ interaction, bound: true, binary: judged.grant, because }, because);
}

async function judgeBinary(id: string, facts: BinaryFacts): Promise<Decision<JudgedBinary>> {
  const { store } = facts;
  if (store.read === undefined) return deny(NOT_FOUND, ["no way to judge a Binary"]);
  const stored = await readResource(store.read, { type: "Binary", id });
  if (stored.kind === "deny") return stored;
  if (stored.grant === undefined) return deny(NOT_FOUND, ["the Binary is absent"]);
  const context = stored.grant["securityContext"];
  return context === undefined ? byReferrers(id, facts) : byContext(context, store.read, facts);
}

async function byContext(
  context: Json,
  read: NonNullable<Store["read"]>,
  { rights }: BinaryFacts,
): Promise<Decision<JudgedBinary>> {
  const text = isObject(context) ? context["reference"] : undefined;
  const reference = typeof text === "string" ? parseReference(text, rights.references) : undefined;
  if (typeof text !== "string" || reference?.kind !== "literal" || reference.type === "Binary") {
    return deny(NOT_FOUND, ["securityContext names nothing that can be judged"]);
  }
  const { type, id } = reference;
  const named = await readResource(read, { type, id });
  if (named.kind === "deny") return named;
  if (named.grant === undefined || !coversWithContained(rights, named.grant, ["r"])) {
    return deny(NOT_FOUND, ["securityContext is not covered"]);
  }
  return permit({ securityContext: text, patients: patientsOf(named.grant, rights.references) }, ["securityContext"]);
}

async function byReferrers(id: string, { rights, store }: BinaryFacts): Promise<Decision<JudgedBinary>> {
  const { referrers } = store;
  if (referrers === undefined) return deny(NOT_FOUND, ["no way to find what refers to a Binary"]);
  const asked = await askStore(() => referrers({ type: "Binary", id }));
  if (asked.kind === "deny") return asked;
  const given: unknown = asked.grant;
  const found = Array.isArray(given) ? (given as readonly Json[]) : [];
  const referring = found.filter((one) => refersTo(one, id, rights.references));
  const isCovered = referring.every((one) => coversWithContained(rights, one, ["r"]));
  if (referring.length === 0 || !isCovered) return deny(NOT_FOUND, ["what refers to the Binary is not all covered"]);
  return permit({ patients: referring.flatMap((one) => patientsOf(one, rights.references)) }, ["referrers covered"]);
}

function refersTo(resource: Json, id: string, references: ReferenceOptions): resource is FhirResource {
  return isFhirResource(resource) && binariesIn(resource, references).has(id);
}

/** At most this many Binaries may be named anew in one write. */
const NAMED_LIMIT = 10;

/** A write may name only such Binaries as the caller may read, or the stored version names already. */
export async function newBinariesFault(
  facts: BinaryFacts,
  result: Json | undefined,
  stored: FhirResource | undefined,
): Promise<Decision<never> | undefined> {
  const { references } = facts.rights;
  if (result === undefined || facts.rights.reachesAll("Binary", "r")) return undefined;
  const before = stored === undefined ? new Set<string>() : binariesIn(stored, references);
  const named = [...binariesIn(result, references)].filter((id) => !before.has(id));
  if (named.length > NAMED_LIMIT) return deny(RESOURCE_NOT_COVERED, ["too many Binaries named"]);
  const judged = await Promise.all(named.map((id) => judgeBinary(id, facts)));
  return judged.every(({ kind }) => kind === "permit")
    ? undefined
    : deny(RESOURCE_NOT_COVERED, ["a Binary is named that the caller may not read"]);
}
