import { parseReference, type ReferenceOptions } from "@wardline/fhir-r4";
import type { Interaction } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { isFhirResource, isObject, type JsonObject } from "../resource.ts";
import { modeOf } from "./entry.ts";

/** An entry with its address and the addresses it refers to: `Type/id`. */
interface Node {
  readonly entry: JsonObject;
  readonly key: string;
  readonly refersTo: ReadonlySet<string>;
}

/**
 * What is left of a page from which a match was taken out: the matches, and those included resources that a match still
 * shown accounts for, each once and in an order that the shown ones decide. An included resource whose only reason was a
 * hidden match would tell of that match (A2, A9).
 *
 * Follows literal references in the directions that the search's `_include` and `_revinclude` name.
 */
export function accountedFor(
  entries: readonly JsonObject[],
  interaction: Interaction,
  references: ReferenceOptions,
): JsonObject[] {
  const matches = entries.filter((entry) => modeOf(entry) !== "include");
  const includes = interaction.search?.includes ?? [];
  const forward = includes.some(({ kind }) => kind === "include");
  const reverseTypes = new Set(includes.filter(({ kind }) => kind === "revinclude").map(({ source }) => source));
  const iterates = includes.some(({ iterate }) => iterate);

  const waiting = new Map<string, Node>();
  for (const entry of entries) {
    const node = modeOf(entry) === "include" ? nodeOf(entry, references) : undefined;
    if (node !== undefined && !waiting.has(node.key)) waiting.set(node.key, node);
  }
  const inOrder = [...waiting.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const reached: Node[] = [];
  const sources = matches.flatMap((entry) => nodeOf(entry, references) ?? []);
  for (let from = sources.shift(); from !== undefined; from = sources.shift()) {
    for (const node of inOrder) {
      if (!waiting.has(node.key)) continue;
      const isNamed = forward && from.refersTo.has(node.key);
      const names = node.refersTo.has(from.key) && (reverseTypes.has(typeIn(node.key)) || reverseTypes.has("*"));
      if (!isNamed && !names) continue;
      waiting.delete(node.key);
      reached.push(node);
      if (iterates) sources.push(node);
    }
  }
  return [...matches, ...reached.map(({ entry }) => entry)];
}

function nodeOf(entry: JsonObject, references: ReferenceOptions): Node | undefined {
  const { resource } = entry;
  if (!isFhirResource(resource) || typeof resource["id"] !== "string") return undefined;
  const refersTo = new Set<string>();
  collect(resource, references, refersTo);
  return { entry, key: `${resource.resourceType}/${resource["id"]}`, refersTo };
}

/** Depth is bounded: the resource was parsed and judged before. */
function collect(value: Json, references: ReferenceOptions, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const member of value) collect(member, references, found);
  } else if (isObject(value)) {
    const { reference } = value;
    const parsed = typeof reference === "string" ? parseReference(reference, references) : undefined;
    if (parsed?.kind === "literal") found.add(`${parsed.type}/${parsed.id}`);
    for (const member of Object.values(value)) if (typeof member === "object") collect(member, references, found);
  }
}

function typeIn(key: string): string {
  return key.slice(0, key.indexOf("/"));
}
