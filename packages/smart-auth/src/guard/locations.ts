import { isId, isResourceType, parseInteraction, parseReference, renderQuery } from "@wardline/fhir-r4";
import type { Interaction } from "@wardline/policy-types";
import type { Pages } from "../links/pages.ts";
import { type Narrowing, withoutAdded } from "../narrow.ts";
import type { FhirResource } from "../resource.ts";

export interface Bases {
  /** The public base. */
  readonly baseUrl: string;
  /** Every base this server's answers may use, the public one first. */
  readonly baseUrls: readonly string[];
}

/** Headers an answer leaves with; `undefined` takes one away. */
export type SaidHeaders = Readonly<Record<string, string | undefined>>;

/** The server's own words on where things are. A Link header would page around the judged links. */
export const NO_ADDRESSES: SaidHeaders = Object.freeze({
  Location: undefined,
  "Content-Location": undefined,
  Link: undefined,
});

/** The part below a known base: `Patient/1`, `?name=x`, or "" for the base itself. `undefined` for any other URL. */
export function belowBase(url: string, { baseUrl, baseUrls }: Bases): string | undefined {
  for (const base of baseUrls) {
    const below = partBelow(url, base);
    if (below !== undefined) return below;
  }
  const fromRoot = url.startsWith("/") ? partBelow(url, new URL(baseUrl).pathname.replace(/\/$/, "")) : undefined;
  if (fromRoot !== undefined) return fromRoot;
  const isRelative = /^(?:[A-Za-z0-9_$?]|\/(?!\/))/.test(url) && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url);
  return isRelative ? url.replace(/^\//, "") : undefined;
}

function partBelow(url: string, base: string): string | undefined {
  if (base === "" || !url.startsWith(base)) return undefined;
  if (url.length === base.length) return "";
  const next = url[base.length];
  if (next === "/") return url.slice(base.length + 1);
  return next === "?" ? url.slice(base.length) : undefined;
}

/**
 * A resource's address under the public base: `Location`, `Content-Location`, `entry.response.location`. `undefined` when
 * it names anything but the resource that was judged.
 */
export function publicLocation(url: string, { type, id }: Interaction, bases: Bases): string | undefined {
  const below = belowBase(url, bases);
  const reference = below === undefined ? undefined : parseReference(below);
  if (reference?.kind !== "literal" || reference.type !== type) return undefined;
  if (id !== undefined && reference.id !== id) return undefined;
  const version = reference.versionId === undefined ? "" : `/_history/${reference.versionId}`;
  return `${bases.baseUrl}/${reference.type}/${reference.id}${version}`;
}

/** Is an URL the public address of this resource, whose type and id were judged? Then nothing in it has to be read. */
export function isPublicAddress(url: string, { resourceType: type, id }: FhirResource, { baseUrl }: Bases): boolean {
  if (typeof id !== "string" || url.length !== baseUrl.length + type.length + id.length + 2) return false;
  const slash = baseUrl.length + 1 + type.length;
  return (
    url[baseUrl.length] === "/" &&
    url[slash] === "/" &&
    url.indexOf(baseUrl) === 0 &&
    url.startsWith(type, baseUrl.length + 1) &&
    url.endsWith(id) &&
    isId(id) &&
    isResourceType(type)
  );
}

/** `Bundle.entry.fullUrl` under the public base; a URN stays; the address of another server is left out. */
export function publicFullUrl(url: string, bases: Bases): string | undefined {
  if (url.startsWith("urn:")) return url;
  const { baseUrl } = bases;
  // Mostly it is as it should be: then nothing is put together, and other bases are not looked for.
  const isPublic = url[baseUrl.length] === "/" && url.indexOf(baseUrl) === 0;
  const reference = isPublic ? parseReference(url.slice(baseUrl.length + 1)) : parseReference(url, bases);
  if (reference.kind !== "literal") return undefined;
  return isPublic && reference.versionId === undefined ? url : `${baseUrl}/${reference.type}/${reference.id}`;
}

export interface LinkFacts extends Bases {
  /** The search that is answered. */
  readonly interaction: Interaction;
  readonly narrowing: Narrowing | undefined;
  readonly extraParameters: ReadonlySet<string>;
  /** Seals the links of the answer's own pages. Absent: a link is shown when it is an ordinary search. */
  readonly pages?: Pages | undefined;
}

/**
 * A paging link that the client can follow and that will be judged like the first request: the same interaction, on a
 * known base, with known parameters only. What the narrowing added is taken out. `undefined` for anything else, above
 * all for opaque tokens, which would be a right by themselves (A3).
 */
export function publicLink(url: string, facts: LinkFacts): string | undefined {
  const below = belowBase(url, facts);
  if (below === undefined) return undefined;
  const mark = below.indexOf("?");
  const [path, query] = mark < 0 ? [below, ""] : [below.slice(0, mark), below.slice(mark + 1)];
  // A POST search is paged by GET.
  const plain = path.replace(/(?:^|\/)_search$/, "");
  const linked = parseInteraction({ method: "GET", path: plain, query });
  const { interaction, narrowing, extraParameters, baseUrl } = facts;
  if (linked.code !== interaction.code || linked.path !== pathOf(interaction)) return undefined;
  const criteria = linked.search?.criteria ?? [];
  if (criteria.some(({ known, raw }) => !known && !extraParameters.has(raw))) return undefined;
  const pairs = linked.search?.pairs ?? [];
  const shown = renderQuery(narrowing === undefined ? pairs : withoutAdded(pairs, narrowing));
  const address = linked.path === "/" ? baseUrl : `${baseUrl}${linked.path}`;
  return shown === "" ? address : `${address}?${shown}`;
}

function pathOf({ path }: Interaction): string {
  const plain = path.replace(/\/_search$/, "");
  return plain === "" ? "/" : plain;
}
