import { isResourceType, searchParameter } from "@wardline/fhir-r4";
import type { ScopeLetter } from "@wardline/policy-types";

/** A SMART resource scope, v1 or v2, in the words of v2. */
export interface ResourceScope {
  /** As granted. */
  readonly text: string;
  readonly context: "patient" | "user" | "system";
  /** `*` for every type. */
  readonly type: string;
  /** In the order `cruds`, without repeats; never empty. */
  readonly letters: readonly ScopeLetter[];
  /** Search parameters a resource must match, ANDed. */
  readonly filter: readonly (readonly [name: string, value: string])[];
}

const V2 = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]+)\.(?=[cruds])(c?r?u?d?s?)(?:\?(.+))?$/;
const V1 = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]+)\.(read|write|\*)$/;
type Parts = readonly [whole: string, ResourceScope["context"], type: string, permissions: string, query?: string];
/** RFC 6749 section 3.3. */
const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const URI_FORM = "http://smarthealthit.org/fhir/scopes/";

/** v1 permissions in v2 letters: `.write` neither reads nor searches. */
const V1_LETTERS: ReadonlyMap<string, string> = new Map([
  ["read", "rs"],
  ["write", "cud"],
  ["*", "cruds"],
]);

/** Have a type to decide by, and look into the text of a resource or run a query of the server's own. */
const NOT_ENFORCEABLE: ReadonlySet<string> = new Set(["_content", "_text", "_query"]);
/** What a filter can be decided by on one resource alone. */
const FILTER_TYPES: ReadonlySet<string> = new Set([
  "token",
  "reference",
  "string",
  "date",
  "uri",
  "number",
  "quantity",
]);

/**
 * Parses one scope token. `undefined` for everything that grants no access to resources: launch and identity scopes,
 * unknown types, letters out of order, and filters this package cannot enforce. Never honours a part of a scope.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export function parseScope(text: string): ResourceScope | undefined {
  if (!TOKEN.test(text)) return undefined;
  const bare = text.startsWith(URI_FORM) ? text.slice(URI_FORM.length) : text;
  const match = V1.exec(bare) ?? V2.exec(bare);
  if (match === null) return undefined;
  const [, context, type, permissions, query] = match as unknown as Parts;
  if (type !== "*" && !isResourceType(type)) return undefined;
  const filter = query === undefined ? [] : parseFilter(type, query);
  if (filter === undefined) return undefined;
  const letters = (V1_LETTERS.get(permissions) ?? permissions).split("") as ScopeLetter[];
  return Object.freeze({
    text,
    context,
    type,
    letters: Object.freeze(letters),
    filter: Object.freeze(filter),
  });
}

/** Parses what a token was granted; what grants nothing is left out. */
export function parseScopes(tokens: readonly string[]): readonly ResourceScope[] {
  return tokens.flatMap((token) => parseScope(token) ?? []);
}

/** Plain parameters of the type only; a modifier, a chain or a parameter that looks beyond the resource is not enforceable. */
function parseFilter(type: string, query: string): (readonly [string, string])[] | undefined {
  const filter: (readonly [string, string])[] = [];
  for (const part of query.split("&")) {
    const pair = parsePair(part);
    if (pair === undefined || !isEnforceable(type, pair[0])) return undefined;
    filter.push(pair);
  }
  return filter;
}

function parsePair(part: string): readonly [string, string] | undefined {
  const equals = part.indexOf("=");
  if (equals < 1 || equals === part.length - 1) return undefined;
  try {
    const name = decodeURIComponent(part.slice(0, equals));
    return Object.freeze([name, decodeURIComponent(part.slice(equals + 1))] as const);
  } catch {
    return undefined;
  }
}

function isEnforceable(type: string, name: string): boolean {
  if (NOT_ENFORCEABLE.has(name)) return false;
  // Of `*` those are known that every type has.
  const parameter = searchParameter(type, name);
  return parameter !== undefined && FILTER_TYPES.has(parameter.type);
}
