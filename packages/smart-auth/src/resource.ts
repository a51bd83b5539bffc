import type { Json } from "@wardline/policy-types/express";

export type JsonObject = { [name: string]: Json };
export type FhirResource = JsonObject & { resourceType: string };

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

export function isFhirResource(value: unknown): value is FhirResource {
  return isObject(value) && Object.hasOwn(value, "resourceType") && typeof value["resourceType"] === "string";
}

/** The objects of a list; `undefined` when it is no list or holds anything else. An absent list is empty. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] | undefined {
  if (value === undefined) return [];
  return Array.isArray(value) && value.every(isObject) ? value : undefined;
}
