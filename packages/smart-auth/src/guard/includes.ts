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
  const referring = new Map<string, Node[]>();
  for (const entry of entries) {
    const node = modeOf(entry) === "include" ? nodeOf(entry, references) : undefined;
    if (node === undefined || waiting.has(node.key)) continue;
    waiting.set(node.key, node);
    if (reverseTypes.has(typeIn(node.key)) || reverseTypes.has("*")) noteReferring(referring, node);
  }
  const reached: Node[] = [];
  const sources = matches.flatMap((entry) => nodeOf(entry, references) ?? []);
  // Grows as it is gone through, where what was reached leads further.
  for (const from of sources) {
    const named = forward ? [...from.refersTo].flatMap((key) => waiting.get(key) ?? []) : [];
    const naming = referring.get(from.key)?.filter(({ key }) => waiting.has(key)) ?? [];
    referring.delete(from.key);
    for (const node of [...new Set([...named, ...naming])].sort(byKey)) {
      waiting.delete(node.key);
      reached.push(node);
      if (iterates) sources.push(node);
    }
  }
  return [...matches, ...reached.map(({ entry }) => entry)];
}

function noteReferring(referring: Map<string, Node[]>, node: Node): void {
  for (const key of node.refersTo) {
    const others = referring.get(key);
    if (others === undefined) referring.set(key, [node]);
    else others.push(node);
  }
}

function byKey(one: Node, other: Node): number {
  return one.key < other.key ? -1 : 1;
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
