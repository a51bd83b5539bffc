import type { AnswerFacts, BodyTransform, Json } from "@wardline/policy-types/express";
import { KEEP } from "@wardline/policy-types/express";

export interface UpstreamAddresses {
  /** Base URLs under which upstreams know themselves: `http://hapi.internal:8080/fhir`. No trailing slash. */
  readonly upstreamBases: readonly string[];
  /** Base URL under which clients know this API: `https://fhir.example.org/fhir`. No trailing slash. */
  readonly publicBase: string;
}

/** Headers that carry addresses. */
const ADDRESSES = ["location", "content-location", "link", "refresh"] as const;

export type Rewrite = (text: string) => string;

/** Replaces each upstream base by the public one, and what is left of an upstream's origin by the public origin. */
export function addressRewriter({ upstreamBases, publicBase }: UpstreamAddresses): Rewrite {
  const publicOrigin = new URL(publicBase).origin;
  const pairs = upstreamBases.flatMap((base): (readonly [string, string])[] => [
    [base, publicBase],
    [new URL(base).origin, publicOrigin],
  ]);
  // The longest first: an origin is the beginning of every base on it.
  const known = [...new Map(pairs)].sort(([a], [b]) => b.length - a.length);
  const pattern = new RegExp(known.map(([from]) => `${escaped(from)}(?![\\w.-])`).join("|"), "gi");
  const replacements = new Map(known.map(([from, to]) => [from.toLowerCase(), to]));
  const hosts = [...new Set(upstreamBases.map((base) => new URL(base).host))].sort((a, b) => b.length - a.length);
  const anyHost = new RegExp(hosts.map(escaped).join("|"), "i");
  const bareHost = new RegExp(`(?:${hosts.map(escaped).join("|")})(?![\\w-])`, "gi");
  const shortest = hosts.at(-1)?.length ?? 0;
  const publicHost = new URL(publicBase).host;
  return (text) => {
    if (text.length < shortest || !anyHost.test(text)) return text;
    const written = text.replace(pattern, (found) => replacements.get(found.toLowerCase()) ?? found);
    // What names the host without its scheme: an error's "connect ECONNREFUSED hapi.internal:8080".
    return written.replaceAll(bareHost, publicHost);
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Takes the upstream's own addresses out of answers: Bundle links, `fullUrl`, locations, references, narratives and
 * error texts, and the headers that carry addresses.
 *
 * Does NOT look into bodies that are not JSON: those pass, with their headers rewritten.
 */
export function addressTransform(rewrite: Rewrite): BodyTransform {
  return {
    name: "upstream-addresses",
    stage: "rewrite",
    json(body) {
      const written = rewriteJson(body, rewrite);
      return written === body ? KEEP : { kind: "replace", body: written };
    },
    opaque: () => KEEP,
    headers: (answer) => rewriteHeaders(answer, rewrite),
  };
}

function rewriteHeaders({ headers }: AnswerFacts, rewrite: Rewrite): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const name of ADDRESSES) {
    const value = headers[name];
    if (value !== undefined && rewrite(value) !== value) changed[name] = rewrite(value);
  }
  return changed;
}

/** Copies only what it changes, and makes no lists on the way: every string of every answer passes here. */
function rewriteJson(value: Json, rewrite: Rewrite): Json {
  if (typeof value === "string") return rewrite(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return rewriteItems(value, rewrite);
  if (!isPlainObject(value)) return value;
  let copy: Record<string, Json> | undefined;
  for (const name in value) {
    const item = value[name] as Json;
    const written = rewriteJson(item, rewrite);
    if (written === item) continue;
    copy ??= { ...value };
    copy[name] = written;
  }
  return copy ?? value;
}

function rewriteItems(items: Json[], rewrite: Rewrite): Json[] {
  let copy: Json[] | undefined;
  for (let at = 0; at < items.length; at++) {
    const item = items[at] as Json;
    const written = rewriteJson(item, rewrite);
    if (written === item) continue;
    copy ??= [...items];
    copy[at] = written;
  }
  return copy ?? items;
}

/** Numbers that must keep their decimals are objects of their own kind. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
