import { isRecord, own } from "./element-paths.ts";
import { parsePairs } from "./request-query.ts";
import { isResourceType, RESOURCE_TYPES } from "./resource-types.ts";
import { parseSearch } from "./search.ts";
import type { TouchList } from "./touches.ts";

const MATCH_URL = /^([A-Za-z]+)\?(.*)$/s;

/**
 * Adds what the conditional references of a submitted resource reach: `"reference": "Patient?identifier=…"` is a search
 * the server runs before it stores. Iterative, so that depth cannot exhaust the stack.
 *
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
export function inlineMatches(resource: unknown, touches: TouchList): void {
  const open: unknown[] = [resource];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) {
      for (const member of node as readonly unknown[]) if (typeof member === "object") open.push(member);
    } else if (isRecord(node)) {
      const reference = own(node, "reference");
      if (typeof reference === "string") addMatch(reference, touches);
      for (const key in node) if (typeof node[key] === "object" && Object.hasOwn(node, key)) open.push(node[key]);
    }
  }
}

/**
 * The same for a patch, which may bring the text of a reference in as `value` or `valueString`: whatever text reads like such
 * a search counts as one.
 */
export function patchedMatches(patch: unknown, touches: TouchList): void {
  const open: unknown[] = [patch];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node === "string") {
      const type = LAST_NAME.exec(node)?.[1];
      if (type !== undefined && FOLDED_TYPES.has(type.toLowerCase())) addMatch(node, touches);
    } else if (Array.isArray(node)) for (const member of node as readonly unknown[]) open.push(member);
    else if (isRecord(node)) for (const member of Object.values(node)) open.push(member);
  }
}

/** What stands before the first question mark, after the last slash that has a name behind it. */
const LAST_NAME = /^(?:[^?]*\/)?([A-Za-z]+)\/?\?/;
const FOLDED_TYPES: ReadonlySet<string> = new Set(RESOURCE_TYPES.map((type) => type.toLowerCase()));

/** Servers also search by spellings R4 does not have (`/Patient?…`, `Patient/?…`, below any base), each in its own way. */
function addMatch(reference: string, touches: TouchList): void {
  if (!reference.includes("?")) return;
  const [, type = "", query = ""] = MATCH_URL.exec(reference) ?? [];
  const pairs = parsePairs(query);
  if (!isResourceType(type) || pairs === undefined) touches.add(["*"], "condition");
  else touches.add([type], "condition").addSearch(parseSearch([type], pairs));
}
