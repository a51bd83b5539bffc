import { patientsOf } from "@wardline/fhir-r4";
import type { ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { type FhirResource, isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";
import type { Rights } from "../rights.ts";
import { coversWithContained } from "./contained.ts";
import { bareBundle, modeOf, publicLinks, withPublicUrls } from "./entry.ts";
import { AnswerUnreadable, type GuardFacts, type Need } from "./facts.ts";
import { accountedFor } from "./includes.ts";
import { bareOutcome } from "./outcome.ts";

/**
 * Judges one resource of an answer at every depth: gives it (or what is left of it) when it is covered, `undefined` when
 * it is not. Throws `AnswerUnreadable` for what is no FHIR.
 */
export function judgeResource(resource: FhirResource, need: Need, facts: GuardFacts): JsonObject | undefined {
  if (resource.resourceType === "OperationOutcome") return facts.bound ? bareOutcome(resource) : resource;
  if (!isCovered(resource, need, facts)) return undefined;
  facts.onPatients(disclosedBy(resource, facts));
  // A stored Bundle or Parameters resource holds others, which are read with it; its links are not those of the answer.
  if (resource.resourceType === "Bundle") return judgeBundle(resource, { any: ["r"] }, { ...facts, pages: undefined });
  return resource.resourceType === "Parameters" ? judgeParameters(resource, { any: ["r"] }, facts) : resource;
}

/** A Patient tells about itself; that it links to another tells of no record of the other. */
function disclosedBy(resource: FhirResource, { rights }: GuardFacts): readonly string[] {
  const { resourceType, id } = resource;
  if (resourceType === "Patient") return typeof id === "string" ? [id] : [];
  return patientsOf(resource, rights.references);
}

/** The container an operation answers with. It needs no scope of its own, what it holds does. */
export function judgeContainer(container: FhirResource, need: Need, facts: GuardFacts): JsonObject {
  return container.resourceType === "Bundle"
    ? judgeBundle(container, need, facts)
    : judgeParameters(container, need, facts);
}

function isCovered(resource: FhirResource, need: Need, { rights }: GuardFacts): boolean {
  return "any" in need ? coversWithContained(rights, resource, need.any) : isCoveredByEach(rights, resource, need.all);
}

function isCoveredByEach(rights: Rights, resource: FhirResource, letters: readonly ScopeLetter[]): boolean {
  return letters.every((letter) => coversWithContained(rights, resource, [letter]));
}

/**
 * Judges a Bundle entry by entry and gives it without what is not covered. Builds it anew from the parts a client needs,
 * so that nothing else of the server's rides along. A `total` stays only when it counts nothing hidden (A9), and paging
 * links only when nothing was taken out: a page that was cut, and the existence of a next one, tell of hidden records. So would a resource included for the sake of a hidden match.
 */
function judgeBundle(bundle: JsonObject, need: Need, facts: GuardFacts): JsonObject {
  const entries = objectsOf(bundle["entry"]);
  if (entries === undefined) throw new AnswerUnreadable("Bundle.entry is no list of objects");
  let cut = false;
  let repeated = false;
  let asWas = true;
  const kept: JsonObject[] = [];
  for (const entry of entries) {
    const judged = judgeEntry(entry, need, facts);
    asWas &&= judged === entry;
    if (judged === undefined) cut ||= modeOf(entry) !== "include";
    else if (isRepeat(entry, facts)) repeated = true;
    else kept.push(judged);
  }
  const shown = cut || repeated ? accountedFor(kept, facts.interaction, facts.rights.references) : kept;
  const { total, link: _, entry: __, ...rest } = bundle;
  const links = publicLinks(bundle["link"], cut, facts);
  // What a caller with unbound rights may see as it is need not be written again.
  if (asWas && !repeated && !facts.bound && kept.length > 0 && areSame(links, bundle["link"])) return bundle;
  const showTotal = total !== undefined && !facts.bound && !cut && !repeated;
  // Da Vinci PAS tells an answer by it; of one that was cut it might tell what is missing.
  const keepsIdentifier = facts.access.submission === true && !cut && isObject(bundle["identifier"]);
  return {
    ...(facts.bound ? bareBundle(bundle) : rest),
    ...(keepsIdentifier ? { identifier: bundle["identifier"] as Json } : {}),
    ...(showTotal ? { total } : {}),
    ...(links.length === 0 ? {} : { link: links }),
    // R4 forbids empty arrays.
    ...(shown.length === 0 ? {} : { entry: asWas && !repeated ? (bundle["entry"] as Json) : shown }),
  };
}

function areSame(shown: readonly JsonObject[], links: Json | undefined): boolean {
  if (links === undefined) return shown.length === 0;
  const given = objectsOf(links);
  return (
    given !== undefined &&
    given.length > 0 &&
    given.length === shown.length &&
    given.every((link, at) => isSameLink(link, shown[at]))
  );
}

function isSameLink(link: JsonObject, shown: JsonObject | undefined): boolean {
  return Object.keys(link).length === 2 && link["relation"] === shown?.["relation"] && link["url"] === shown?.["url"];
}

/** What an earlier part of the same search has shown is not shown again. */
function isRepeat(entry: JsonObject, { pages }: GuardFacts): boolean {
  const { resource } = entry;
  return pages !== undefined && modeOf(entry) !== "include" && isFhirResource(resource) && pages.isRepeat(resource);
}

function judgeEntry(entry: JsonObject, need: Need, facts: GuardFacts): JsonObject | undefined {
  const { resource } = entry;
  if (resource === undefined) return facts.bound ? undefined : withPublicUrls(entry, facts);
  if (!isFhirResource(resource)) throw new AnswerUnreadable("an entry's resource is none");
  const judged = judgeResource(resource, needOf(entry, need), facts);
  return judged === undefined
    ? undefined
    : withPublicUrls(judged === resource ? entry : { ...entry, resource: judged }, facts);
}

/** Included resources are read along; whatever calls itself something else must be a match (SMART 2.2: `s`). */
function needOf(entry: JsonObject, need: Need): Need {
  return "any" in need && modeOf(entry) === "include" ? { any: ["r", "s"] } : need;
}

/** With bound rights only names and judged resources are left: a bare value belongs to nobody who could be checked. */
function judgeParameters(parameters: JsonObject, need: Need, facts: GuardFacts): JsonObject {
  const { parameter, ...rest } = parameters;
  const kept = judgeParts(parameter, need, facts);
  return {
    ...(facts.bound ? { resourceType: "Parameters" } : rest),
    ...(kept.length === 0 ? {} : { parameter: kept }),
  };
}

function judgeParts(parts: Json | undefined, need: Need, facts: GuardFacts): JsonObject[] {
  const list = objectsOf(parts);
  if (list === undefined) throw new AnswerUnreadable("a parameter list is none");
  return list.map((parameter) => judgePart(parameter, need, facts)).filter((part) => part !== undefined);
}

function judgePart(parameter: JsonObject, need: Need, facts: GuardFacts): JsonObject | undefined {
  const { resource, part, ...rest } = parameter;
  const parts = judgeParts(part, need, facts);
  const base: JsonObject = facts.bound ? { name: nameOf(parameter) } : rest;
  const withParts: JsonObject = parts.length === 0 ? base : { ...base, part: parts };
  if (resource !== undefined) {
    if (!isFhirResource(resource)) throw new AnswerUnreadable("a parameter's resource is none");
    const judged =
      resource.resourceType === "Bundle" ? judgeBundle(resource, need, facts) : judgeResource(resource, need, facts);
    return judged === undefined ? undefined : { ...withParts, resource: judged };
  }
  return facts.bound && parts.length === 0 ? undefined : withParts;
}

function nameOf({ name }: JsonObject): string {
  return typeof name === "string" && /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name) ? name : "result";
}
