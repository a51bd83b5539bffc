import { TYPES } from "./generated/resource-types.ts";

/**
 * The concrete resource types of R4 4.0.1, in alphabetical order.
 *
 * @see https://hl7.org/fhir/R4/resourcelist.html
 */
export const RESOURCE_TYPES: readonly string[] = Object.freeze(TYPES.trim().split("\n"));

const known: ReadonlySet<string> = new Set(RESOURCE_TYPES);

let last = "Patient";

/** Case counts: `patient` is no resource type. */
export function isResourceType(name: string): boolean {
  // Asked again and again of one answer's resources, which mostly are of one type.
  if (name === last) return true;
  if (!known.has(name)) return false;
  last = name;
  return true;
}
