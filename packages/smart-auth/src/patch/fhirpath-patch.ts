import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject, objectsOf } from "../resource.ts";
import { add, type Edited, type PatchOutcome, remove, replace } from "./edit.ts";
import { type Place, select } from "./fhirpath.ts";
import { valueAt } from "./pointer.ts";

const OPERATION_LIMIT = 100;
const DEPTH_LIMIT = 5;

/**
 * Applies a FHIRPath Patch to a copy, as far as its paths select one element, or one list, by the part of FHIRPath that
 * `select` knows. Everything else fails: not applied means not judged, and so refused.
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
  const parts = partsOf(operation["part"]);
  const selected = parts === undefined ? undefined : select(document, plain(parts.get("path")));
  if (parts === undefined || selected === undefined) return undefined;
  const { places, list } = selected;
  const [place] = places;
  const type = plain(parts.get("type"));
  const given = parts.get("value");
  if (places.length > 1 && (type === "add" || type === "delete" || type === "replace")) return undefined;
  switch (typeof type === "string" ? type : "") {
    case "add":
      return place === undefined || given === undefined
        ? undefined
        : addNamed(document, place.tokens, plain(parts.get("name")), given.value);
    case "insert": {
      const at = placeOf(plain(parts.get("index")));
      return given === undefined || at === undefined || list === undefined
        ? undefined
        : add(document, [...list, at], given.value);
    }
    case "delete":
      // R4: deleting what is not there is no error.
      return place === undefined ? document : removeElement(document, place.tokens);
    case "replace":
      return place === undefined || given === undefined ? undefined : replaceElement(document, place, given);
    case "move":
      return list === undefined ? undefined : moveWithin(document, list, parts);
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

/** R4 forbids empty lists: with its last member a list is gone. */
function removeElement(document: Json, path: readonly string[]): Edited {
  const above = path.slice(0, -1);
  const list = valueAt(document, above);
  return remove(document, Array.isArray(list) && list.length === 1 ? above : path);
}

/** A choice may become another of its types. */
function replaceElement(document: Json, { tokens, choice }: Place, { type, value }: Given): Edited {
  if (choice === undefined) return replace(document, tokens, value);
  if (type === undefined) return undefined;
  const without = remove(document, tokens);
  const name = `${choice.name}${type}`;
  return without === undefined ? undefined : add(without, [...tokens.slice(0, -1), name], value);
}

function moveWithin(document: Json, list: readonly string[], parts: ReadonlyMap<string, Given>): Edited {
  const [from, to] = [placeOf(plain(parts.get("source"))), placeOf(plain(parts.get("destination")))];
  const moved = from === undefined ? undefined : valueAt(document, [...list, from]);
  if (from === undefined || to === undefined || moved === undefined) return undefined;
  const without = remove(document, [...list, from]);
  return without === undefined ? undefined : add(without, [...list, to], moved);
}

function placeOf(value: Json | undefined): string | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
}

/** What stands in a part, and of which type it is said to be; of a value built of parts nothing is said. */
interface Given {
  readonly value: Json;
  readonly type?: string;
}

function plain(given: Given | undefined): Json | undefined {
  return given?.value;
}

/** Each part once, with its value; `undefined` for repeats and for what has no value. */
function partsOf(part: Json | undefined): ReadonlyMap<string, Given> | undefined {
  const parts = new Map<string, Given>();
  for (const one of objectsOf(part) ?? [{}]) {
    const { name } = one;
    const given = givenIn(one, 0);
    if (typeof name !== "string" || parts.has(name) || given === undefined) return undefined;
    parts.set(name, given);
  }
  return parts;
}

/** R4 fhirpatch.html: a value of a type without name is built of its elements, each a part. */
function givenIn({ part, ...rest }: JsonObject, depth: number): Given | undefined {
  const [key, ...others] = Object.keys(rest).filter((name) => /^value[A-Z]/.test(name));
  if (others.length > 0 || (key === undefined) === (part === undefined)) return undefined;
  const value = key === undefined ? undefined : rest[key];
  if (key !== undefined) return value === undefined ? undefined : { value, type: key.slice("value".length) };
  const built = builtOf(part, depth);
  return built === undefined ? undefined : { value: built };
}

function builtOf(part: Json | undefined, depth: number): JsonObject | undefined {
  const elements = objectsOf(part);
  if (elements === undefined || elements.length === 0 || depth > DEPTH_LIMIT) return undefined;
  const built = new Map<string, Json>();
  for (const element of elements) {
    const { name } = element;
    const given = givenIn(element, depth + 1);
    if (typeof name !== "string" || !NAME.test(name) || given === undefined) return undefined;
    const before = built.get(name);
    built.set(name, before === undefined ? given.value : [...(Array.isArray(before) ? before : [before]), given.value]);
  }
  return Object.fromEntries(built);
}

const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;

/** `value` where the JSON has `valueQuantity`: what is there already is not added. */
function hasChoice(parent: JsonObject, name: string): boolean {
  if (Object.hasOwn(parent, name)) return false;
  return Object.keys(parent).some((key) => key.startsWith(name) && /^[A-Z]/.test(key.slice(name.length)));
}
