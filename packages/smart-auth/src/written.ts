import { isId, parseReference, patientsOf, type ReferenceOptions } from "@wardline/fhir-r4";
import type { Interaction } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { isFhirResource, isObject } from "./resource.ts";

/** What is known of a write: the resource or patch submitted, the stored versions, and what a patch makes of one. */
export interface Written {
  readonly interaction: Interaction;
  readonly body?: Json | undefined;
  readonly stored?: readonly Json[];
  readonly result?: Json | undefined;
}

/**
 * A15: bare ids of the patients that a write names, for the audit, which rather holds too many than too few.
 *
 * Does NOT resolve conditions and `urn:` references: patients named by those are not among them.
 *
 * @see https://hl7.org/fhir/R4/compartmentdefinition-patient.html
 */
export function patientsWritten(
  { interaction, body, stored = [], result }: Written,
  options: ReferenceOptions,
): string[] {
  const { code, type } = interaction;
  // R4 http.html, create: the server gives a new Patient its id, whatever the body says.
  if (code === "create" && type === "Patient") return [];
  const isUnapplied = code === "patch" && result === undefined;
  const after = isUnapplied ? referredTo(body, options) : patientsInside(result ?? body, options);
  const found = [...stored.flatMap((one) => patientsInside(one, options)), ...after];
  // What else a client wrote in its place names no patient.
  return [...new Set(found)].filter(isId);
}

/** Of a resource, and of those that a Bundle or Parameters resource holds at any depth. */
export function patientsInside(given: Json | undefined, options: ReferenceOptions): string[] {
  const found: string[] = [];
  const open: (Json | undefined)[] = [given];
  while (open.length > 0) {
    const resource = open.pop();
    if (!isFhirResource(resource)) continue;
    // A Patient tells about itself; that it links to another tells of no record of the other.
    const own = resource.resourceType === "Patient" ? [resource["id"]] : patientsOf(resource, options);
    for (const id of own) if (typeof id === "string") found.push(id);
    if (resource.resourceType === "Bundle") for (const held of heldBy(resource["entry"])) open.push(held);
    if (resource.resourceType === "Parameters") for (const held of heldBy(resource["parameter"])) open.push(held);
  }
  return found;
}

/** Resources of entries, or of parameters and their parts. */
function heldBy(list: Json | undefined): Json[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((one) => {
    if (!isObject(one)) return [];
    const { resource, part } = one;
    return resource === undefined ? heldBy(part) : [resource, ...heldBy(part)];
  });
}

/** A patch may put a reference anywhere, as `value` or `valueString`: whatever text reads as one counts. */
function referredTo(patch: Json | undefined, options: ReferenceOptions): string[] {
  const found: string[] = [];
  const open: (Json | undefined)[] = [patch];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node === "string") {
      const parsed = parseReference(node, options);
      if (parsed.kind === "literal" && parsed.type === "Patient") found.push(parsed.id);
    } else if (Array.isArray(node)) {
      for (const one of node) open.push(one);
    } else if (isObject(node)) {
      for (const one of Object.values(node)) open.push(one);
    }
  }
  return found;
}
