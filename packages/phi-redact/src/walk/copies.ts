import type { Json } from "@wardline/policy-types/express";
import type { JsonObject } from "../values.ts";
import type { Both } from "./primitives.ts";

/** What was walked before the first change. */
export function copyBefore(node: JsonObject, end: number): JsonObject {
  const copy: JsonObject = {};
  let at = 0;
  for (const name in node) {
    if (at++ === end) break;
    copy[name] = node[name] as Json;
  }
  return copy;
}

/** The marks by which the pipeline remembers how decimals were written. */
export function copyMarks(node: JsonObject, copy: JsonObject): void {
  for (const mark of Object.getOwnPropertySymbols(node))
    Object.defineProperty(copy, mark, Object.getOwnPropertyDescriptor(node, mark) ?? {});
}

export function putPair(copy: JsonObject, name: string, partName: string, { value, part }: Both): void {
  if (value !== undefined) copy[name] = value;
  if (part !== undefined) copy[partName] = part;
  // It stood before `name`, and was copied as it was.
  else if (partName in copy) delete copy[partName];
}

export function isEmpty(object: JsonObject): boolean {
  for (const _name in object) return false;
  return true;
}
