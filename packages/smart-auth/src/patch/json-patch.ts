import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject, objectsOf } from "../resource.ts";
import { add, type Edited, type PatchOutcome, remove, replace } from "./edit.ts";
import { parsePointer, valueAt } from "./pointer.ts";

const OPERATION_LIMIT = 100;
/** `copy` can double a document at each step. */
const COPIED_LIMIT = 100_000;

/**
 * Applies a JSON Patch to a copy: what the resource would become. All of it or nothing.
 *
 * Does NOT know FHIR: what comes out is judged as an update would be.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902
 */
export function applyJsonPatch(document: Json, patch: Json): PatchOutcome {
  const operations = Array.isArray(patch) ? objectsOf(patch) : undefined;
  if (operations === undefined) return { kind: "failed", because: "the patch is no list of operations" };
  if (operations.length > OPERATION_LIMIT) return { kind: "failed", because: "too many operations" };
  let result = document;
  let copied = 0;
  for (const operation of operations) {
    if (operation["op"] === "copy") copied += sizeOf(result);
    if (copied > COPIED_LIMIT) return { kind: "failed", because: "too much is copied" };
    const edited = applyOne(result, operation);
    if (edited === undefined) return { kind: "failed", because: "an operation cannot be applied" };
    result = edited;
  }
  return { kind: "patched", result };
}

function applyOne(document: Json, operation: JsonObject): Edited {
  const { op, value } = operation;
  const path = parsePointer(operation["path"]);
  if (path === undefined) return undefined;
  switch (typeof op === "string" ? op : "") {
    case "add":
      return value === undefined ? undefined : add(document, path, value);
    case "remove":
      return remove(document, path);
    case "replace":
      return value === undefined ? undefined : replace(document, path, value);
    case "move":
    case "copy": {
      const from = parsePointer(operation["from"]);
      return from === undefined ? undefined : transfer(document, from, path, op === "copy");
    }
    case "test": {
      const found = valueAt(document, path);
      return found !== undefined && value !== undefined && isEqual(found, value) ? document : undefined;
    }
    default:
      return undefined;
  }
}

/** RFC 6902 sections 4.4 and 4.5: a place cannot be moved into itself. */
function transfer(document: Json, from: readonly string[], path: readonly string[], copies: boolean): Edited {
  const value = valueAt(document, from);
  if (value === undefined) return undefined;
  if (copies) return add(document, path, value);
  const isSame = from.length === path.length && from.every((token, at) => token === path[at]);
  if (isSame) return document;
  if (from.length <= path.length && from.every((token, at) => token === path[at])) return undefined;
  const without = remove(document, from);
  return without === undefined ? undefined : add(without, path, value);
}

/** RFC 6902 section 4.6: numbers by value, members in any order. */
function isEqual(left: Json, right: Json): boolean {
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((member, at) => isEqual(member, right[at] as Json));
  }
  if (!isObject(left) || !isObject(right)) return left === right;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isEqual(left[name] as Json, right[name] as Json))
  );
}

function sizeOf(value: Json): number {
  const open: Json[] = [value];
  let size = 0;
  for (let node = open.pop(); node !== undefined && size <= COPIED_LIMIT; node = open.pop()) {
    size++;
    if (node !== null && typeof node === "object") for (const member of Object.values(node)) open.push(member);
  }
  return size;
}
