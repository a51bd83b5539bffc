import { isResourceType, searchParameter } from "@wardline/fhir-r4";
import { decodeLeniently, queryPairs } from "./decode.ts";
import type { PhiScanner } from "./detect.ts";
import type { Detection, Entity } from "./detection.ts";
import { identifyingParameters } from "./search-parameters.ts";

/** One thing found. Holds no value, and no name that only the client knows. */
export interface DlpFinding {
  readonly place: "path" | "query" | "search" | "header" | "body" | "answer";
  /** Code of a parameter of R4, or name of a common header; absent when it may be anything. */
  readonly name?: string;
  /** `parameter`: a search parameter that identifies a person whatever its value. */
  readonly entity: Entity | "parameter";
  readonly confidence: number;
}

/** A finding and the text it was found in, which stays within this package. */
export interface Found extends DlpFinding {
  readonly text: string;
}

export interface RequestText {
  readonly path: string;
  readonly query: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/** Looks through the path and the query of a request. */
export function findInUrl(
  { path, query }: Pick<RequestText, "path" | "query">,
  scan: PhiScanner,
  additional: ReadonlySet<string>,
): Found[] {
  const decodedPath = decodeLeniently(path);
  const spaced = decodedPath.replaceAll("/", " ");
  const found: Found[] = scan(spaced).map((detection) => asFound("path", spaced, detection));
  const pairs = queryPairs(query);
  if (pairs.length === 0) return found;
  const type = typeOf(decodedPath);
  const identifying = identifyingParameters(type, pairs, additional);
  for (const [name, value] of pairs) {
    const code = identifying.get(name);
    if (code !== undefined && value !== "") {
      found.push({ place: "search", name: code, entity: "parameter", confidence: 1, text: value });
      continue;
    }
    const known = knownParameter(type, name);
    for (const detection of scan(value, name)) found.push(asFound("query", value, detection, known));
    for (const detection of known === undefined ? scan(name) : []) found.push(asFound("query", name, detection));
  }
  return found;
}

/** Looks through request headers. Credentials are not looked at: they are secrets, whatever else they hold. */
export function findInHeaders({ headers }: Pick<RequestText, "headers">, scan: PhiScanner): Found[] {
  const found: Found[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (NOT_SCANNED.has(lower)) continue;
    const text = decodeLeniently(value);
    for (const detection of scan(text, COMMON.has(lower) ? "" : lower)) {
      found.push(asFound("header", text, detection, COMMON.has(lower) ? lower : undefined));
    }
  }
  return found;
}

/** Looks through every string of a JSON value; a key is the hint of its value. */
export function findInJson(place: "body" | "answer", value: unknown, scan: PhiScanner): Found[] {
  const found: Found[] = [];
  const walk = (node: unknown, key: string, depth: number): void => {
    if (found.length >= MAX_FOUND || depth > MAX_DEPTH) return;
    if (typeof node === "string") {
      for (const detection of scan(node, key)) found.push(asFound(place, node, detection));
    } else if (Array.isArray(node)) {
      for (const item of node) walk(item, key, depth + 1);
    } else if (node !== null && typeof node === "object") {
      for (const [name, member] of Object.entries(node)) walk(member, name, depth + 1);
    }
  };
  walk(value, "", 0);
  return found;
}

function asFound(place: DlpFinding["place"], whole: string, detection: Detection, name?: string): Found {
  const { entity, confidence, start, end } = detection;
  const text = whole.slice(start, end);
  return { place, ...(name === undefined ? {} : { name }), entity, confidence, text };
}

/** What may be told outside. */
export function withoutText(found: readonly Found[]): readonly DlpFinding[] {
  return found.map(({ place, name, entity, confidence }) =>
    Object.freeze({ place, ...(name === undefined ? {} : { name }), entity, confidence }),
  );
}

/** The type searched: the last one the path names. `/Patient/1/Observation` searches Observation. */
function typeOf(path: string): string | undefined {
  return path.split("/").findLast((segment) => isResourceType(segment));
}

/** A name R4 defines; everything else may be anything a client typed (A14). */
function knownParameter(type: string | undefined, name: string): string | undefined {
  const [bare = ""] = name.split(/[:.]/);
  return CONTROL.has(bare) || searchParameter(type ?? "*", bare) !== undefined ? bare : undefined;
}

const CONTROL: ReadonlySet<string> = new Set(
  "_count _summary _elements _total _contained _containedType _format _pretty _sort _include _revinclude _since _type".split(
    " ",
  ),
);
const NOT_SCANNED: ReadonlySet<string> = new Set(
  "authorization proxy-authorization cookie set-cookie dpop client-cert client-cert-chain x-forwarded-client-cert x-api-key signature if-none-exist".split(
    " ",
  ),
);
const COMMON: ReadonlySet<string> = new Set(
  "accept accept-charset accept-encoding accept-language cache-control connection content-encoding content-language content-length content-type date etag expect forwarded from host if-match if-modified-since if-none-match if-unmodified-since origin prefer range referer te traceparent tracestate transfer-encoding user-agent via x-correlation-id x-forwarded-for x-forwarded-host x-forwarded-proto x-provenance x-request-id".split(
    " ",
  ),
);
const MAX_FOUND = 1000;
const MAX_DEPTH = 200;
