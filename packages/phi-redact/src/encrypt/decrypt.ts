import type { KeyContext, KeyProvider } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { DEFAULT_CONTEXT, DEFAULT_TIMEOUT_MS } from "./cipher.ts";
import { within } from "./deadline.ts";
import { ENCRYPTED_FIELD, type FieldPlace } from "./field.ts";
import { fieldUnreadable, keysUnavailable } from "./problems.ts";
import { additionalData, openField, parseSealed, type SealedField } from "./sealed-field.ts";

/** Which encrypted fields a reader may see, and with what. */
export interface FieldRights {
  readonly keys: KeyProvider;
  /** May this reader see this field? A rule that throws says no. */
  readonly permits: (place: FieldPlace) => boolean;
  /** As the cipher's. */
  readonly context?: KeyContext;
  /** Our own deadline for one call of `keys`, in milliseconds. Default 2000. */
  readonly timeoutMs?: number;
  /** Data keys that may be unwrapped for one resource or Bundle. Default 100; more is refused as an attack on the keys. */
  readonly maxKeys?: number;
}

/**
 * Gives a copy of a resource, or of a Bundle of them, in which the fields this reader has the right to are in clear. The
 * others stay masked.
 *
 * Rejects with a `DependencyError`: `phi-redact/field-unreadable` when a ciphertext was changed, moved to another element
 * or resource, or made for another context; `phi-redact/field-keys-unavailable` when the provider does not answer.
 *
 * Does NOT check who the reader is, and leaves the security labels as they are.
 */
export async function decryptFields(resource: Json, rights: FieldRights): Promise<Json> {
  const found: Found[] = [];
  collect(resource, undefined, "", rights, found);
  if (found.length === 0) return resource;
  const dataKeys = await unwrapAll(found, rights);
  const opened = new Map<object, Json>();
  for (const { element, place, sealed } of found) {
    const key = dataKeys.get(nameOf(sealed));
    const text = key === undefined ? undefined : openField(key, sealed.box, additionalData(place, sealed.keyId));
    if (text === undefined) throw fieldUnreadable();
    opened.set(element, JSON.parse(text) as Json);
  }
  return restore(resource, opened);
}

type JsonObject = { [name: string]: Json };
interface Found {
  readonly element: JsonObject;
  readonly place: FieldPlace;
  readonly sealed: SealedField;
}

function collect(node: Json, root: JsonObject | undefined, path: string, rights: FieldRights, found: Found[]): void {
  if (node === null || typeof node !== "object") return;
  if (Array.isArray(node)) {
    for (const item of node) collect(item, root, path, rights, found);
    return;
  }
  const isResource = typeof node["resourceType"] === "string";
  const contained = root !== undefined && path === `${typeOf(root)}.contained`;
  const holder = isResource && !contained ? node : root;
  const here = holder === node ? typeOf(node) : path;
  if (holder !== undefined && collectField(node, holder, here, rights, found)) return;
  for (const [name, value] of Object.entries(node)) {
    collect(value, holder, `${here}.${name.startsWith("_") ? name.slice(1) : name}`, rights, found);
  }
}

function collectField(
  element: JsonObject,
  holder: JsonObject,
  path: string,
  rights: FieldRights,
  found: Found[],
): boolean {
  const text = sealedTextOf(element);
  if (text === undefined) return false;
  const id = holder["id"];
  const place = { resourceType: typeOf(holder), ...(typeof id === "string" ? { id } : {}), path };
  if (!mayRead(rights, place)) return true;
  const sealed = parseSealed(text);
  if (sealed === undefined) throw fieldUnreadable();
  found.push({ element, place, sealed });
  return true;
}

function sealedTextOf(element: JsonObject): string | undefined {
  const extensions = element["extension"];
  if (!Array.isArray(extensions)) return undefined;
  for (const extension of extensions) {
    if (extension === null || typeof extension !== "object" || Array.isArray(extension)) continue;
    const text = extension["valueString"];
    if (extension["url"] === ENCRYPTED_FIELD && typeof text === "string") return text;
  }
  return undefined;
}

function mayRead({ permits }: FieldRights, place: FieldPlace): boolean {
  try {
    return permits(place) === true;
  } catch {
    return false;
  }
}

async function unwrapAll(found: readonly Found[], rights: FieldRights): Promise<Map<string, Uint8Array>> {
  const { keys, context = DEFAULT_CONTEXT, timeoutMs = DEFAULT_TIMEOUT_MS, maxKeys = 100 } = rights;
  const wrapped = new Map(found.map(({ sealed }) => [nameOf(sealed), sealed]));
  if (wrapped.size > maxKeys) throw fieldUnreadable();
  const unwrap = async ([name, sealed]: [string, SealedField]): Promise<[string, Uint8Array]> => [
    name,
    await within({ timeoutMs }, () => keys.unwrapDataKey(sealed, context)),
  ];
  try {
    return new Map(await Promise.all([...wrapped].map(unwrap)));
  } catch (error) {
    throw isFinal(error) ? fieldUnreadable(error) : keysUnavailable(error);
  }
}

/** The provider answered, and the answer is no. */
function isFinal(error: unknown): boolean {
  return (error as { retryable?: unknown } | undefined)?.retryable === false;
}

function nameOf({ keyId, wrapped }: SealedField): string {
  return `${Buffer.from(wrapped).toString("base64url")}.${keyId}`;
}

/** A copy in which a primitive's `_name` has given way to its `name`, in arrays at the same place. */
function restore(node: Json, opened: Opened): Json {
  if (node === null || typeof node !== "object") return node;
  if (Array.isArray(node)) return node.map((item) => restore(item, opened));
  if (opened.has(node)) return openedElement(node, opened);
  // Spread carries the symbols by which a lossless body remembers its decimals.
  const copy: JsonObject = { ...node };
  const names = Object.keys(node);
  for (const name of names) if (!name.startsWith("_")) put(copy, name, restore(node[name] ?? null, opened));
  for (const name of names) if (name.startsWith("_")) restorePrimitive(copy, name, node, opened);
  return copy;
}

/** What the element kept beside its ciphertext stays: an `id`, the `url` of an extension. */
function openedElement(element: JsonObject, opened: Opened): Json {
  const value = opened.get(element) ?? null;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return { ...keptOf(element), ...value };
}

function keptOf(element: JsonObject): JsonObject {
  const { extension: _sealed, ...kept } = element;
  return kept;
}

/** What is opened under `_name` is the value of `name`, or, when it is an object, the `_name` of a primitive without value. */
function restorePrimitive(copy: JsonObject, name: string, node: JsonObject, opened: Opened): void {
  const member = node[name] ?? null;
  const members = Array.isArray(member) ? member : [member];
  const parts = members.map((item) => restoredParts(item, opened));
  const elements = parts.map(({ element }) => element);
  if (elements.some((element) => element !== null))
    put(copy, name, Array.isArray(member) ? elements : (elements[0] ?? null));
  else delete copy[name];
  if (parts.every(({ value }) => value === undefined)) return;
  const given = node[name.slice(1)];
  const values = Array.isArray(given) ? given : [];
  const whole = parts.map(({ value }, index) => value ?? values[index] ?? null);
  put(copy, name.slice(1), Array.isArray(member) ? whole : (whole[0] ?? null));
}

function restoredParts(item: Json, opened: Opened): { readonly element: Json; readonly value?: Json } {
  if (item === null || typeof item !== "object" || Array.isArray(item)) return { element: item };
  if (!opened.has(item)) return { element: restore(item, opened) };
  const value = opened.get(item) ?? null;
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    return { element: openedElement(item, opened) };
  const kept = keptOf(item);
  return { element: Object.keys(kept).length === 0 ? null : kept, value };
}

/** Own properties only, whatever the name: `__proto__` is a name like any other here. */
function put(copy: JsonObject, name: string, value: Json): void {
  Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
}

type Opened = ReadonlyMap<object, Json>;

function typeOf(resource: JsonObject): string {
  const type = resource["resourceType"];
  return typeof type === "string" ? type : "";
}
