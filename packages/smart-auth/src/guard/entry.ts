import type { Json } from "@wardline/policy-types/express";
import type { Pages } from "../links/pages.ts";
import { isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";
import { baseTypes } from "../search.ts";
import type { GuardFacts } from "./facts.ts";
import { belowBase, isPublicAddress, publicFullUrl, publicLink, publicLocation } from "./locations.ts";
import { bareOutcome } from "./outcome.ts";

/** Relations of R4 search results; `prev` is the registered spelling of the same. */
const RELATIONS: ReadonlySet<string> = new Set(["self", "first", "previous", "prev", "next", "last"]);

/** A Bundle's own parts that say nothing about what it holds. */
export function bareBundle({ id, type, timestamp }: JsonObject): JsonObject {
  return {
    resourceType: "Bundle",
    ...(typeof id === "string" ? { id } : {}),
    ...(typeof type === "string" ? { type } : {}),
    ...(typeof timestamp === "string" ? { timestamp } : {}),
  };
}

export function modeOf({ search }: JsonObject): Json | undefined {
  return isObject(search) ? search["mode"] : undefined;
}

/** An entry with this server's public addresses only; with bound rights, rebuilt from the parts a client needs. */
export function withPublicUrls(entry: JsonObject, facts: GuardFacts): JsonObject {
  const { fullUrl, resource, request, response } = entry;
  const shown = typeof fullUrl === "string" ? shownUrl(fullUrl, resource, facts) : undefined;
  if (shown === fullUrl && (facts.bound ? isBound(entry) : isBare(entry))) return entry;
  const kept = facts.bound ? boundEntry(entry, shown) : unboundEntry(entry, shown);
  if (isObject(request)) kept["request"] = publicRequest(request, resource, facts.bound);
  if (isObject(response)) kept["response"] = publicResponse(response, resource, facts);
  return kept;
}

function shownUrl(url: string, resource: Json | undefined, facts: GuardFacts): string | undefined {
  return isFhirResource(resource) && isPublicAddress(url, resource, facts) ? url : publicFullUrl(url, facts);
}

/** Nothing in it but `fullUrl` would have to be looked at. */
function isBare({ link, request, response }: JsonObject): boolean {
  return link === undefined && request === undefined && response === undefined;
}

/** Is it what `boundEntry` would make of it? */
function isBound(entry: JsonObject): boolean {
  for (const name in entry) if (name !== "fullUrl" && name !== "resource" && name !== "search") return false;
  const { search } = entry;
  if (search === undefined) return true;
  if (!isObject(search) || typeof search["mode"] !== "string") return false;
  for (const name in search) if (name !== "mode") return false;
  return true;
}

function boundEntry({ resource, search }: JsonObject, shown: string | undefined): JsonObject {
  // An entry without one is shown to nobody who is bound.
  const held = resource as Json;
  const kept: JsonObject = shown === undefined ? { resource: held } : { fullUrl: shown, resource: held };
  const mode = isObject(search) ? search["mode"] : undefined;
  if (typeof mode === "string") kept["search"] = { mode };
  return kept;
}

function unboundEntry(entry: JsonObject, shown: string | undefined): JsonObject {
  const { fullUrl: _, link: __, request: ___, response: ____, ...rest } = entry;
  return shown === undefined ? rest : { fullUrl: shown, ...rest };
}

/** What a history says was asked. A conditional URL in it would be somebody's search. */
function publicRequest(request: JsonObject, resource: Json | undefined, bound: boolean): JsonObject {
  const { method } = request;
  if (!bound || !isFhirResource(resource)) return request;
  const id = typeof resource["id"] === "string" && method !== "POST" ? `/${resource["id"]}` : "";
  return { method: method ?? "GET", url: `${resource.resourceType}${id}` };
}

/** `entry.response` of a history, batch or transaction: addresses made public, the server's words left out. */
export function publicResponse(response: JsonObject, resource: Json | undefined, facts: GuardFacts): JsonObject {
  const { location, outcome, ...rest } = response;
  const { interaction, bound } = facts;
  const named = isFhirResource(resource) ? { ...interaction, type: resource.resourceType } : interaction;
  const shown = typeof location === "string" ? publicLocation(location, named, facts) : undefined;
  return {
    ...(bound ? bareResponse(rest) : rest),
    ...(shown === undefined ? {} : { location: shown }),
    ...(isObject(outcome) ? { outcome: bound || !isOutcome(outcome) ? bareOutcome(outcome) : outcome } : {}),
  };
}

function bareResponse({ status, etag, lastModified }: JsonObject): JsonObject {
  const code = typeof status === "string" ? /^\d{3}/.exec(status)?.[0] : undefined;
  return {
    status: code ?? "500",
    ...(typeof etag === "string" ? { etag } : {}),
    ...(typeof lastModified === "string" ? { lastModified } : {}),
  };
}

function isOutcome(outcome: JsonObject): boolean {
  return outcome["resourceType"] === "OperationOutcome";
}

/** @param cut entries were taken out */
export function publicLinks(links: Json | undefined, cut: boolean, facts: GuardFacts): JsonObject[] {
  const { pages } = facts;
  const shown = (objectsOf(links) ?? []).flatMap(({ relation, url }) => {
    if (typeof relation !== "string" || typeof url !== "string" || !RELATIONS.has(relation)) return [];
    if (cut && relation !== "self" && !(relation === "next" && goesOnWhenCut(facts))) return [];
    const link = relation === "self" || pages === undefined ? publicLink(url, facts) : sealedLink(url, pages, facts);
    return link === undefined ? [] : [{ relation, url: link }];
  });
  // A page whose link cannot be sealed is not skipped in silence.
  const goesOn = (!cut || goesOnWhenCut(facts)) && (objectsOf(links) ?? []).some(({ relation }) => relation === "next");
  const following = goesOn ? undefined : pages?.following();
  return following === undefined ? shown : [...shown, { relation: "next", url: following }];
}

/**
 * What single patients withhold is missing here and there from what scopes cover whole, and no search can leave it out
 * beforehand: the others' records behind it must still be reached. Without its seal the link would tell how much is missing.
 */
function goesOnWhenCut({ pages, interaction, rights }: GuardFacts): boolean {
  return pages !== undefined && baseTypes(interaction).every((type) => rights.grantsAll(type, "s"));
}

function sealedLink(url: string, pages: Pages, facts: GuardFacts): string | undefined {
  const below = belowBase(url, facts);
  return below === undefined ? undefined : pages.link(below);
}
