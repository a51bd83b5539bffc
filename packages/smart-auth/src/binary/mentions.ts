import { parseReference, type ReferenceOptions } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";

/** Ids of this server's Binaries that a resource names anywhere: as a reference, or as the URL of an attachment. */
export function binariesIn(resource: Json, references: ReferenceOptions): Set<string> {
  const found = new Set<string>();
  const open: Json[] = [resource];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node !== null && typeof node === "object") for (const member of Object.values(node)) open.push(member);
    if (typeof node !== "string" || !node.includes("Binary/")) continue;
    const parsed = parseReference(node, references);
    if (parsed.kind === "literal" && parsed.type === "Binary") found.add(parsed.id);
  }
  return found;
}
