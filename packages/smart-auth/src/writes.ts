import { isId, parseInteraction } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, type Problem, permit, type ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { Access, ForwardedWrite } from "./access.ts";
import { affectedBy } from "./affected.ts";
import { newBinariesFault } from "./binary/decide.ts";
import { selectByCondition } from "./conditional.ts";
import { coversWithContained } from "./guard/contained.ts";
import { goOnWith, type Later } from "./later.ts";
import { applyPatch, isReadable } from "./patch/apply.ts";
import { heldByContent } from "./patch/held.ts";
import {
  BODY_MISMATCH,
  MEDIA_TYPE_UNSUPPORTED,
  NOT_FOUND,
  PARAMETER_UNKNOWN,
  PATCH_REFUSED,
  RESOURCE_NOT_COVERED,
  SEARCH_REFUSED,
  STORED_UNKNOWN,
  VERSION_CONFLICT,
} from "./problems.ts";
import { type FhirResource, isFhirResource, isObject } from "./resource.ts";
import type { Rights } from "./rights.ts";
import { readResource, type Store } from "./stored.ts";
import { patientsWritten } from "./written.ts";

export interface WriteFacts {
  readonly interaction: Interaction;
  readonly body?: Json | undefined;
  /** The client's `If-Match`. */
  readonly ifMatch?: string | undefined;
  readonly rights: Rights;
  readonly store: Store;
  /** The refusal when a letter the write turns out to need is not covered. */
  readonly scopeInsufficient: (type: string, letter: ScopeLetter) => Problem;
  /** Is the interaction offered on this route? The condition of an update may turn it into a create. */
  readonly offers: (code: "create") => boolean;
}

/**
 * Decides a create, update, patch or delete whose type the caller can reach. With bound rights the submitted resource and
 * the stored one must both be covered, a condition is resolved within the grant, and a PATCH is judged by its result; what
 * cannot be judged is refused (A11). An update never creates a resource of a given id with bound rights, so that absent
 * and hidden look alike (A9). What is forwarded names the version that was judged.
 */
export function decideWrite(facts: WriteFacts): Later<Decision<Access>> {
  const { interaction } = facts;
  const refused = conditionFault(interaction);
  if (refused !== undefined) return refused;
  if (isBound(facts)) return interaction.condition === undefined ? judge(facts, {}) : judgeSelected(facts);
  const fault = unreadFault(facts) ?? inlineFault(facts) ?? bodyFault(facts);
  if (fault !== undefined) return fault;
  return goOnWith(affectedBy(interaction, facts.store), (affected) =>
    affected.kind === "deny" ? affected : permitUnbound(facts, affected.grant),
  );
}

/** @param stored what the write is about, as far as it is known */
function permitUnbound({ interaction, body, rights }: WriteFacts, stored: readonly Json[]): Decision<Access> {
  const because = [`${interaction.code} is not bound`];
  const patients = patientsWritten({ interaction, body, stored }, rights.references);
  return permit({ interaction, bound: false, patients, because }, because);
}

const LETTERS: ReadonlyMap<Interaction["code"], ScopeLetter> = new Map([
  ["create", "c"],
  ["update", "u"],
  ["patch", "u"],
  ["delete", "d"],
] as const);

function letterOf({ code }: Interaction): ScopeLetter {
  return LETTERS.get(code) ?? "u";
}

/** An update may create (R4 http.html, "Update as Create"), which is another right. */
function isBound({ interaction, rights }: WriteFacts): boolean {
  const { code, type = "*", condition } = interaction;
  const needed: ScopeLetter[] = [letterOf(interaction)];
  if (condition !== undefined) needed.push("s");
  if (code === "update") needed.push("c");
  return !needed.every((letter) => rights.reachesAll(type, letter));
}

/** A server that ignores a parameter it does not know would change or delete more than was meant. */
function conditionFault({ condition }: Interaction): Decision<never> | undefined {
  if (condition === undefined) return undefined;
  const plain = condition.criteria.every(({ known }) => known) && condition.includes.length === 0;
  return plain ? undefined : deny(PARAMETER_UNKNOWN, ["a parameter of the condition is not known"]);
}

/** A patch that cannot be read may bring in a search of anything. */
function unreadFault({ interaction, rights, body }: WriteFacts): Decision<never> | undefined {
  if (interaction.code !== "patch" || isReadable(body) || rights.reachesAll("*", "s")) return undefined;
  return deny(MEDIA_TYPE_UNSUPPORTED, ["a patch in a form that cannot be judged"]);
}

/** `"reference": "Patient?identifier=…"` is a search the server runs (R4 http.html, transaction rules). */
function inlineFault({ interaction, rights, body }: WriteFacts): Decision<never> | undefined {
  const { code, type = "" } = interaction;
  const isResource = code === "create" || code === "update";
  // Of the body alone, whatever the write's own condition reached.
  const inline = isResource ? parseInteraction({ method: "POST", path: `/${type}`, body }).touches : [];
  const far = [...interaction.touches, ...inline].some(
    ({ type: touched, via }) => via !== "base" && !rights.reachesAll(touched, "s"),
  );
  return far ? deny(SEARCH_REFUSED, ["a condition or a match URL reaches data that may be hidden"]) : undefined;
}

/** The same write on the one resource its condition selects within the grant. */
async function judgeSelected(facts: WriteFacts): Promise<Decision<Access>> {
  const { interaction, body, store, rights } = facts;
  const { code, type = "" } = interaction;
  const selected = await selectByCondition({
    interaction,
    rights,
    store,
    extraParameters: new Set(),
    scopeInsufficient: facts.scopeInsufficient,
  });
  if (selected.kind === "deny") return selected;
  const { id } = selected.grant;
  const { condition: _, ...rest } = interaction;
  const plain: Interaction = { ...rest, touches: interaction.touches.filter(({ via }) => via === "base") };
  if (code === "create") {
    // R4: one match, and the server ignores the post. It is told which, and nothing of what the client asked.
    const ifNoneExist = id === undefined ? "" : `_id=${id}`;
    return judge({ ...facts, interaction: plain }, { ifNoneExist });
  }
  if (id !== undefined) {
    const named: Interaction = { ...plain, id, path: `/${type}/${id}` };
    const isWhole = code === "update" && isObject(body) && body["id"] === undefined;
    const withId = isWhole ? { ...body, id } : body;
    const write = { url: `${type}/${id}`, ...(isWhole ? { body: withId as Json } : {}) };
    return judge({ ...facts, interaction: named, body: withId }, write);
  }
  const hasId = isObject(body) && body["id"] !== undefined;
  if (code !== "update" || hasId || !facts.offers("create")) return deny(NOT_FOUND, ["the condition selects nothing"]);
  if (!rights.reaches(type, ["c"])) return deny(facts.scopeInsufficient(type, "c"), ["the update would create"]);
  return judge({ ...facts, interaction: { ...plain, code: "create" } }, { method: "POST", url: type });
}

/** Judges a write of one resource, or of a new one, with bound rights. */
async function judge(facts: WriteFacts, write: ForwardedWrite): Promise<Decision<Access>> {
  const { interaction } = facts;
  const refused = inlineFault(facts) ?? bodyFault(facts);
  if (refused !== undefined) return refused;
  const stored = interaction.code === "create" ? permit(undefined, []) : await storedOf(facts);
  if (stored.kind === "deny") return stored;
  const result = resultOf(facts, stored.grant);
  if (result.kind === "deny") return result;
  const planted = await newBinariesFault(facts, result.grant, stored.grant);
  if (planted !== undefined) return planted;
  const held = heldVersion(facts, stored.grant);
  if (held.kind === "deny") return held;
  const because = [`${interaction.code} judged within bounds`];
  const forwarded: ForwardedWrite = { ...write, ...held.grant };
  const isAsAsked = Object.keys(forwarded).length === 0;
  const before = stored.grant === undefined ? [] : [stored.grant];
  const written = { ...facts, stored: before, result: result.grant };
  const patients = patientsWritten(written, facts.rights.references);
  return permit({ interaction, bound: true, patients, ...(isAsAsked ? {} : { write: forwarded }), because }, because);
}

function bodyFault(facts: WriteFacts): Decision<never> | undefined {
  const { interaction, body, rights } = facts;
  const { code, type, id } = interaction;
  if (code !== "create" && code !== "update") return undefined;
  if (!isFhirResource(body) || body.resourceType !== type) return deny(BODY_MISMATCH, ["the body is another type"]);
  // R4 http.html, update: the body's id is the URL's.
  if (code === "update" && id !== undefined && body["id"] !== id)
    return deny(BODY_MISMATCH, ["the body has another id"]);
  return isCovered(rights, body, letterOf(interaction), code)
    ? undefined
    : deny(RESOURCE_NOT_COVERED, ["submitted resource not covered"]);
}

/** A created Patient gets an id of the server's choice: it is nobody's compartment yet. */
function isCovered(rights: Rights, resource: FhirResource, letter: ScopeLetter, code: string): boolean {
  if (code === "create" && resource.resourceType === "Patient" && !rights.reachesAll("Patient", letter)) return false;
  return coversWithContained(rights, resource, [letter]);
}

async function storedOf({ interaction, rights, store }: WriteFacts): Promise<Decision<FhirResource>> {
  const { type, id } = interaction;
  if (store.read === undefined || type === undefined || id === undefined) {
    return deny(STORED_UNKNOWN, ["no way to read the stored version"]);
  }
  const stored = await readResource(store.read, { type, id });
  if (stored.kind === "deny") return stored;
  return stored.grant !== undefined && coversWithContained(rights, stored.grant, [letterOf(interaction)])
    ? permit(stored.grant, stored.because)
    : deny(NOT_FOUND, ["stored version absent or not covered"]);
}

/** What will be stored; of a PATCH, what it makes of the stored version. */
function resultOf(
  { interaction, body, rights }: WriteFacts,
  stored: FhirResource | undefined,
): Decision<Json | undefined> {
  const { code, type, id } = interaction;
  if (code !== "patch" || stored === undefined) return permit(code === "delete" ? undefined : body, []);
  // Whether a patch applies tells what is stored.
  if (!coversWithContained(rights, stored, ["r"])) return deny(PATCH_REFUSED, ["PATCH without the right to read"]);
  const patched = applyPatch(stored, body);
  if (patched.kind === "deny") return patched;
  const result = patched.grant;
  const isSame = isFhirResource(result) && result.resourceType === type && result["id"] === id;
  if (!isSame) return deny(BODY_MISMATCH, ["the patch changes type or id"]);
  // The server would resolve a match URL that a patch brings in, as in any other body.
  const inline = parseInteraction({ method: "POST", path: `/${type}`, body: result }).touches;
  const isFar = inline.some((touch) => touch.via !== "base" && !rights.reachesAll(touch.type, "s"));
  if (isFar) return deny(SEARCH_REFUSED, ["the patch brings in a match URL"]);
  return coversWithContained(rights, result, ["u"])
    ? permit(result, ["patch judged by its result"])
    : deny(RESOURCE_NOT_COVERED, ["the patch's result is not covered"]);
}

/** R4 http.html, "Managing Resource Contention": the version that was judged is the one that is changed. */
function heldVersion(
  { interaction, ifMatch, body }: WriteFacts,
  stored: FhirResource | undefined,
): Decision<Pick<ForwardedWrite, "ifMatch" | "body">> {
  if (stored === undefined) return permit({}, []);
  const { meta } = stored;
  const version = isObject(meta) && typeof meta["versionId"] === "string" ? meta["versionId"] : undefined;
  if (version === undefined || !isId(version)) {
    if (interaction.code !== "patch") return permit({}, ["no version to hold"]);
    return Array.isArray(body)
      ? permit({ body: heldByContent(stored, body) }, ["content held"])
      : deny(STORED_UNKNOWN, ["a FHIRPath Patch of a resource without a version"]);
  }
  const isAsked = ifMatch === undefined || ifMatch.trim() === "*" || tagsOf(ifMatch).includes(version);
  return isAsked
    ? permit({ ifMatch: `W/"${version}"` }, ["version held"])
    : deny(VERSION_CONFLICT, ["If-Match names another version"]);
}

function tagsOf(header: string): readonly string[] {
  return header.split(",").map((tag) => /^\s*(?:W\/)?"([^"]*)"\s*$/.exec(tag)?.[1] ?? "");
}
