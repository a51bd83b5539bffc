import type { Json } from "@wardline/policy-types/express";
import { isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";
import { add, type Edited, type PatchOutcome, remove, replace } from "./edit.ts";
import { valueAt } from "./pointer.ts";

const OPERATION_LIMIT = 100;

/**
 * Applies a FHIRPath Patch to a copy, as far as its paths are plain: element names from the root with an index where there
 * is a list (`Patient.name[0].given[1]`). Everything else fails: functions, choice types by their short name, values
 * built from parts. Not applied means not judged, and so refused.
 *
 * @see https://hl7.org/fhir/R4/fhirpatch.html
 */
export function applyFhirPathPatch(document: Json, patch: Json): PatchOutcome {
  const operations = isObject(patch) ? objectsOf(patch["parameter"]) : undefined;
  if (operations === undefined || operations.length > OPERATION_LIMIT) {
    return { kind: "failed", because: "the patch is no list of operations, or too long" };
  }
  let result = document;
  for (const operation of operations) {
    const edited = operation["name"] === "operation" ? applyOne(result, operation) : undefined;
    if (edited === undefined) return { kind: "failed", because: "an operation cannot be applied here" };
    result = edited;
  }
  return { kind: "patched", result };
}

function applyOne(document: Json, operation: JsonObject): Edited {
  const parts = partsOf(operation);
  const path = parsePath(parts?.get("path"), document);
  if (parts === undefined || path === undefined) return undefined;
  const [type, value] = [parts.get("type"), parts.get("value")];
  switch (typeof type === "string" ? type : "") {
    case "add":
      return value === undefined ? undefined : addNamed(document, path, parts.get("name"), value);
    case "insert": {
      const at = placeOf(parts.get("index"));
      const isList = Array.isArray(valueAt(document, path));
      return value === undefined || at === undefined || !isList ? undefined : add(document, [...path, at], value);
    }
    case "delete":
      // R4: deleting what is not there is no error.
      return valueAt(document, path) === undefined ? document : remove(document, path);
    case "replace":
      return value === undefined ? undefined : replace(document, path, value);
    case "move": {
      const [from, to] = [placeOf(parts.get("source")), placeOf(parts.get("destination"))];
      const moved = from === undefined ? undefined : valueAt(document, [...path, from]);
      if (from === undefined || to === undefined || moved === undefined) return undefined;
      const without = remove(document, [...path, from]);
      return without === undefined ? undefined : add(without, [...path, to], moved);
    }
    default:
      return undefined;
  }
}

/** Elements of a list grow by one; whether an element that is not there yet is a list makes no difference to a judge. */
function addNamed(document: Json, path: readonly string[], name: Json | undefined, value: Json): Edited {
  if (typeof name !== "string" || !NAME.test(name)) return undefined;
  const parent = valueAt(document, path);
  if (!isObject(parent) || hasChoice(parent, name)) return undefined;
  const before = valueAt(parent, [name]);
  if (before === undefined) return add(document, [...path, name], value);
  return Array.isArray(before) ? add(document, [...path, name, "-"], value) : undefined;
}

function placeOf(value: Json | undefined): string | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
}

/** Each part once, with its value; `undefined` for repeats and for values of parts. */
function partsOf({ part }: JsonObject): ReadonlyMap<string, Json> | undefined {
  const parts = new Map<string, Json>();
  for (const one of objectsOf(part) ?? [{}]) {
    const { name } = one;
    const values = Object.keys(one).filter((key) => /^value[A-Z]/.test(key));
    const [key = ""] = values;
    const value = one[key];
    if (typeof name !== "string" || parts.has(name) || values.length !== 1 || value === undefined) return undefined;
    parts.set(name, value);
  }
  return parts;
}

const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;
const STEP = /^([a-z][A-Za-z0-9]{0,63})(?:\[(\d{1,4})\])?$/;

/** A plain path as the places it names in the JSON; a list without an index is the whole list. */
function parsePath(path: Json | undefined, document: Json): readonly string[] | undefined {
  if (typeof path !== "string" || !isFhirResource(document)) return undefined;
  const [root, ...steps] = path.split(".");
  if (root !== document.resourceType || steps.length > 20) return undefined;
  const places: string[] = [];
  for (const step of steps) {
    const [, name, index] = STEP.exec(step) ?? [];
    const parent = valueAt(document, places);
    if (name === undefined || (isObject(parent) && hasChoice(parent, name))) return undefined;
    places.push(name, ...(index === undefined ? [] : [String(Number(index))]));
  }
  return places;
}

/** `value` where the JSON has `valueQuantity`: which of the types is meant takes the definitions to tell. */
function hasChoice(parent: JsonObject, name: string): boolean {
  if (Object.hasOwn(parent, name)) return false;
  return Object.keys(parent).some((key) => key.startsWith(name) && /^[A-Z]/.test(key.slice(name.length)));
}
