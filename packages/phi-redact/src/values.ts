import type { Json } from "@wardline/policy-types/express";

export type JsonObject = { [name: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The text of an element, or nothing when it is no text. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
