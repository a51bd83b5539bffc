import { type Decision, deny, type Interaction, permit, type ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access } from "./access.ts";
import { coversWithContained } from "./guard/contained.ts";
import {
  BODY_MISMATCH,
  CONDITION_REFUSED,
  NOT_FOUND,
  PARAMETER_UNKNOWN,
  PATCH_REFUSED,
  RESOURCE_NOT_COVERED,
  SEARCH_REFUSED,
  STORED_UNAVAILABLE,
  STORED_UNKNOWN,
} from "./problems.ts";
import { type FhirResource, isFhirResource } from "./resource.ts";
import type { Rights } from "./rights.ts";

/** Gives the stored version, or `undefined` when there is none. Rejects when nobody can tell. */
export type StoredReader = (reference: { readonly type: string; readonly id: string }) => Promise<Json | undefined>;

export interface WriteFacts {
  readonly interaction: Interaction;
  readonly body?: Json | undefined;
  readonly rights: Rights;
  readonly readStored?: StoredReader | undefined;
}

/**
 * Decides a create, update, patch or delete whose type the caller can reach. With bound rights the submitted resource and
 * the stored one must both be covered; what cannot be judged is refused: conditions, PATCH, and writes whose stored
 * version is not known (A11). An update never creates with bound rights, so that absent and hidden look alike (A9).
 *
 * Does NOT hold the stored version still: a backend that supports `If-Match` closes that gap.
 */
export async function decideWrite(facts: WriteFacts): Promise<Decision<Access>> {
  const { interaction, rights } = facts;
  const { code, type = "*" } = interaction;
  const letter = LETTERS.get(code) ?? "u";
  const bound =
    !rights.reachesAll(type, letter) || (interaction.condition !== undefined && !rights.reachesAll(type, "s"));
  const refused =
    (bound ? boundFault(interaction) : undefined) ??
    conditionFault(interaction) ??
    inlineFault(interaction, rights) ??
    bodyFault(facts, letter) ??
    (bound ? await storedFault(facts, letter) : undefined);
  if (refused !== undefined) return refused;
  const because = [bound ? `${code} judged within bounds` : `${code} is not bound`];
  return permit({ interaction, bound, because }, because);
}

const LETTERS: ReadonlyMap<Interaction["code"], ScopeLetter> = new Map([
  ["create", "c"],
  ["update", "u"],
  ["patch", "u"],
  ["delete", "d"],
] as const);

/** `"reference": "Patient?identifier=…"` is a search the server runs (R4 http.html, transaction rules). */
function inlineFault({ touches }: Interaction, rights: Rights): Decision<never> | undefined {
  const far = touches.some(({ type, via }) => via !== "base" && !rights.reachesAll(type, "s"));
  return far ? deny(SEARCH_REFUSED, ["a condition or a match URL reaches data that may be hidden"]) : undefined;
}

/** A server that ignores a parameter it does not know would change or delete more than was meant. */
function conditionFault({ condition }: Interaction): Decision<never> | undefined {
  if (condition === undefined) return undefined;
  const plain = condition.criteria.every(({ known }) => known) && condition.includes.length === 0;
  return plain ? undefined : deny(PARAMETER_UNKNOWN, ["a parameter of the condition is not known"]);
}

function boundFault({ code, condition }: Interaction): Decision<never> | undefined {
  if (condition !== undefined) return deny(CONDITION_REFUSED, ["a condition with bound rights"]);
  return code === "patch" ? deny(PATCH_REFUSED, ["PATCH with bound rights"]) : undefined;
}

function bodyFault({ interaction, body, rights }: WriteFacts, letter: ScopeLetter): Decision<never> | undefined {
  const { code, type, id } = interaction;
  if (code !== "create" && code !== "update") return undefined;
  if (!isFhirResource(body) || body.resourceType !== type) return deny(BODY_MISMATCH, ["the body is another type"]);
  // R4 http.html, update: the body's id is the URL's.
  if (code === "update" && id !== undefined && body["id"] !== id)
    return deny(BODY_MISMATCH, ["the body has another id"]);
  return isCovered(rights, body, letter, code)
    ? undefined
    : deny(RESOURCE_NOT_COVERED, ["submitted resource not covered"]);
}

/** A created Patient gets an id of the server's choice: it is nobody's compartment yet. */
function isCovered(rights: Rights, resource: FhirResource, letter: ScopeLetter, code: string): boolean {
  if (code === "create" && resource.resourceType === "Patient" && !rights.reachesAll("Patient", letter)) return false;
  return coversWithContained(rights, resource, [letter]);
}

async function storedFault(
  { interaction: { code, type, id }, rights, readStored }: WriteFacts,
  letter: ScopeLetter,
): Promise<Decision<never> | undefined> {
  if (code === "create") return undefined;
  if (readStored === undefined || type === undefined || id === undefined) {
    return deny(STORED_UNKNOWN, ["no way to read the stored version"]);
  }
  let stored: Json | undefined;
  try {
    stored = await readStored({ type, id });
  } catch {
    return deny(STORED_UNAVAILABLE, ["the stored version could not be read"]);
  }
  const isSame = isFhirResource(stored) && stored.resourceType === type && stored["id"] === id;
  if (!isSame || !coversWithContained(rights, stored as FhirResource, [letter])) {
    return deny(NOT_FOUND, ["stored version absent or not covered"]);
  }
  return undefined;
}
