import { isResourceType } from "@wardline/fhir-r4";
import type { ScopeLetter } from "@wardline/policy-types";
import { type FhirResource, isFhirResource, type JsonObject, objectsOf } from "../resource.ts";
import { isMemberType, type Rights } from "../rights.ts";

/**
 * Whether a resource and everything contained in it is covered. A contained resource of a type that belongs to patients
 * is judged like any other; one that does not (a Medication, a Practitioner) is part of what contains it.
 */
export function coversWithContained(rights: Rights, resource: FhirResource, letters: readonly ScopeLetter[]): boolean {
  if (!rights.covers(resource, letters)) return false;
  const { contained } = resource;
  return contained === undefined || coversParts(rights, objectsOf(contained), letters);
}

/** @param parts `undefined`: no list of objects */
function coversParts(
  rights: Rights,
  parts: readonly JsonObject[] | undefined,
  letters: readonly ScopeLetter[],
): boolean {
  return parts?.every((part) => isFhirResource(part) && coversPart(rights, part, letters)) ?? false;
}

function coversPart(rights: Rights, part: FhirResource, letters: readonly ScopeLetter[]): boolean {
  const { resourceType } = part;
  if (isMemberType(resourceType, "full") || CONTAINERS.has(resourceType)) {
    return coversWithContained(rights, part, letters);
  }
  if (!isResourceType(resourceType)) return false;
  // R4 forbids nesting here; a server that does it anyway is not trusted to mean well.
  return part["contained"] === undefined;
}

/** Types that can hold anything. */
const CONTAINERS: ReadonlySet<string> = new Set(["Bundle", "Parameters", "Binary"]);
