import { isRecord, own } from "./element-paths.ts";
import { parsePairs } from "./request-query.ts";
import { isResourceType } from "./resource-types.ts";
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

function addMatch(reference: string, touches: TouchList): void {
  const [, type, query = ""] = MATCH_URL.exec(reference) ?? [];
  if (type === undefined) return;
  const pairs = parsePairs(query);
  if (!isResourceType(type) || pairs === undefined) touches.add(["*"], "condition");
  else touches.add([type], "condition").addSearch(parseSearch([type], pairs));
}
