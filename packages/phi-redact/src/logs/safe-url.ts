import type { IncomingMessage } from "node:http";
import { isResourceType, OPERATION_DEFINITIONS, RESOURCE_TYPES, searchParametersOf } from "@wardline/fhir-r4";
import { contextOf } from "@wardline/policy-types/express";
import { decodeLeniently, queryPairs } from "../dlp/decode.ts";

/**
 * What of a request's URL may stand in a log: the mount point, resource types, operations and parameter names that R4
 * defines. Ids, values and everything a client could have typed are left out: `/fhir/Patient/{id}?name&_count=20`.
 *
 * Does NOT tell two patients apart: take the request id, and look it up in the audit log.
 */
export function safeUrl(req: IncomingMessage): string {
  const { originalUrl, baseUrl = "" } = req as IncomingMessage & { originalUrl?: string; baseUrl?: string };
  const url = originalUrl ?? contextOf(req).originalUrl;
  const mount = url.startsWith(baseUrl) && !baseUrl.includes("?") && isPlainMount(baseUrl) ? baseUrl : "";
  return mount + safeTarget(url.slice(mount.length));
}

/** As `safeUrl`, for a URL in running text: a path without query is left, unless a type of R4 stands in it. */
export function safeUrlText(url: string): string {
  const [, scheme = "", authority = "", target = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)(.*)$/is.exec(url) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const mark = target.search(/[?#]/);
  const path = mark < 0 ? target : target.slice(0, mark);
  const isFhir = path.split("/").some((segment) => isResourceType(segment));
  if (mark < 0 && !isFhir) return scheme + host + target;
  return scheme + host + (isFhir ? safePath(path) : path) + (mark < 0 ? "" : safeQuery(target.slice(mark)));
}

function safeTarget(target: string): string {
  const mark = target.search(/[?#]/);
  return mark < 0 ? safePath(target) : safePath(target.slice(0, mark)) + safeQuery(target.slice(mark));
}

function safePath(path: string): string {
  return decodeLeniently(path)
    .split("/")
    .map((segment) => (segment === "" || isKnownSegment(segment) ? segment : "{id}"))
    .join("/");
}

function isKnownSegment(segment: string): boolean {
  if (isResourceType(segment) || KNOWN_SEGMENTS.has(segment)) return true;
  return segment.startsWith("$") && OPERATIONS.has(segment.slice(1));
}

/** Names without values, but for the few whose values say nothing of anybody. The fragment goes. */
function safeQuery(query: string): string {
  if (query.startsWith("#")) return "";
  const [text = ""] = query.slice(1).split("#");
  const names = queryPairs(text).map(([name, value]) => {
    const [bare = ""] = name.split(":");
    if (HARMLESS.has(name) && /^[\w.+/ -]{1,40}$/.test(value)) return `${name}=${value}`;
    return PARAMETERS.has(bare.slice(0, bare.includes(".") ? bare.indexOf(".") : undefined))
      ? firstStep(name)
      : "{other}";
  });
  return names.length === 0 ? "" : `?${[...new Set(names)].join("&")}`;
}

/** `subject:Patient.name` keeps `subject`: the rest may be anything. */
function firstStep(name: string): string {
  return name.split(/[:.]/)[0] ?? "";
}

/** Where an application was mounted is its own word; a mount with parameters holds the client's. */
function isPlainMount(mount: string): boolean {
  return /^(?:\/[A-Za-z][A-Za-z_-]{0,30}\d{0,2})*$/.test(mount);
}

const HARMLESS: ReadonlySet<string> = new Set(["_count", "_summary", "_format", "_pretty", "_total"]);
const KNOWN_SEGMENTS: ReadonlySet<string> = new Set([
  "_history",
  "_search",
  "metadata",
  "fhir",
  "FHIR",
  "r4",
  "R4",
  "api",
  "*",
]);
const OPERATIONS: ReadonlySet<string> = new Set([...OPERATION_DEFINITIONS.map(({ name }) => name), "export"]);
const PARAMETERS: ReadonlySet<string> = new Set([
  ...RESOURCE_TYPES.flatMap((type) => searchParametersOf(type).map(({ code }) => code)),
  ..."_count _summary _elements _total _contained _containedType _format _pretty _sort _include _revinclude _since _type _typeFilter _outputFormat _has".split(
    " ",
  ),
]);
