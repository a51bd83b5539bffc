import { TYPES } from "./generated/resource-types.ts";

/**
 * The concrete resource types of R4 4.0.1, in alphabetical order.
 *
 * @see https://hl7.org/fhir/R4/resourcelist.html
 */
export const RESOURCE_TYPES: readonly string[] = Object.freeze(TYPES.trim().split("\n"));

const known: ReadonlySet<string> = new Set(RESOURCE_TYPES);

/** Case counts: `patient` is no resource type. */
export function isResourceType(name: string): boolean {
  return known.has(name);
}
