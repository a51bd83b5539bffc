import type { Interaction, SearchQuery } from "@wardline/policy-types";
import { isRecord, own } from "./element-paths.ts";
import { NO_ENTRIES } from "./interaction-request.ts";
import { parsePairs } from "./request-query.ts";
import { isResourceType, RESOURCE_TYPES } from "./resource-types.ts";
import { parseSearch } from "./search.ts";
import type { TouchList } from "./touches.ts";

const MATCH_URL = /^([A-Za-z]+)\?(.*)$/s;

/** A search that a server runs before it stores: `"reference": "Patient?identifier=…"`. */
export interface InlineMatch {
  readonly type: string;
  readonly search: SearchQuery;
}

/** Whose bodies are resources, which may hold references; an operation may store what it is given, too. */
const TAKES_RESOURCES: ReadonlySet<Interaction["code"]> = new Set(["create", "update", "operation"]);

/**
 * The searches that a body brings in, `unreadable` for one that a server may read in a way of its own. Entries of a batch are
 * read each as the request it stands for.
 *
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
export function inlineMatchesOf(
  { code, entries }: Pick<Interaction, "code" | "entries">,
  body: unknown,
): readonly (InlineMatch | "unreadable")[] {
  const given = isRecord(body) ? own(body, "entry") : undefined;
  if (entries.length > 0 && Array.isArray(given)) {
    return entries.flatMap(({ interaction }, at) => {
      const entry: unknown = given[at];
      return inlineMatchesOf(interaction, isRecord(entry) ? own(entry, "resource") : undefined);
    });
  }
  if (code === "patch") return patchedUrls(body).map(readMatch);
  return TAKES_RESOURCES.has(code) ? referencedUrls(body).map(readMatch) : [];
}

/** Adds what a body's searches reach. */
export function inlineMatches(code: Interaction["code"], body: unknown, touches: TouchList): void {
  for (const match of inlineMatchesOf({ code, entries: NO_ENTRIES }, body)) {
    if (match === "unreadable") touches.add(["*"], "condition");
    else touches.add([match.type], "condition").addSearch(match.search);
  }
}

/** Iterative, so that depth cannot exhaust the stack. */
function referencedUrls(resource: unknown): string[] {
  const found: string[] = [];
  const open: unknown[] = [resource];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) {
      for (const member of node as readonly unknown[]) if (typeof member === "object") open.push(member);
    } else if (isRecord(node)) {
      const reference = own(node, "reference");
      if (typeof reference === "string" && reference.includes("?")) found.push(reference);
      for (const key in node) if (typeof node[key] === "object" && Object.hasOwn(node, key)) open.push(node[key]);
    }
  }
  return found;
}

/** A patch may bring the text of a reference in as `value` or `valueString`: whatever text reads like such a search counts as one. */
function patchedUrls(patch: unknown): string[] {
  const found: string[] = [];
  const open: unknown[] = [patch];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node === "string") {
      const type = LAST_NAME.exec(node)?.[1];
      if (type !== undefined && FOLDED_TYPES.has(type.toLowerCase())) found.push(node);
    } else if (Array.isArray(node)) for (const member of node as readonly unknown[]) open.push(member);
    else if (isRecord(node)) for (const member of Object.values(node)) open.push(member);
  }
  return found;
}

/** What stands before the first question mark, after the last slash that has a name behind it. */
const LAST_NAME = /^(?:[^?]*\/)?([A-Za-z]+)\/?\?/;
const FOLDED_TYPES: ReadonlySet<string> = new Set(RESOURCE_TYPES.map((type) => type.toLowerCase()));

/** Servers also search by spellings R4 does not have (`/Patient?…`, `Patient/?…`, below any base), each in its own way. */
function readMatch(url: string): InlineMatch | "unreadable" {
  const [, type = "", query = ""] = MATCH_URL.exec(url) ?? [];
  const pairs = parsePairs(query);
  return isResourceType(type) && pairs !== undefined ? { type, search: parseSearch([type], pairs) } : "unreadable";
}
