import type { Findings } from "@wardline/policy-types";
import { isRecord } from "../record.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Something of the document, and its JSON Pointer, which is also how findings name it. */
export interface Located {
  readonly value: JsonObject;
  readonly at: string;
}

export interface Document {
  readonly root: JsonObject;
  readonly version: "3.0" | "3.1";
  readonly found: Findings;
  /** Follows a `$ref`, if there is one, as often as needed. Reports and gives `undefined` when it leads nowhere. */
  follow(value: unknown, at: string): Located | undefined;
  /** The value at a local reference. Reports and gives `undefined` when it is not local or leads nowhere. */
  resolve(reference: string, at: string): unknown;
}

/**
 * Opens an OpenAPI document. References stay within it: nothing is fetched, ever.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html
 * @see https://spec.openapis.org/oas/v3.0.4.html
 */
export function openDocument(given: object, found: Findings): Document | undefined {
  const root = given as JsonObject;
  const version = /^3\.([01])\.\d+$/.exec(String(root["openapi"]))?.[1];
  if (version === undefined) {
    found.add("openapi", "openapi-version", "a document of OpenAPI 3.0 or 3.1");
    return undefined;
  }
  if (!isRecord(root["paths"])) {
    found.add("paths", "openapi-paths", "an object with the paths of the API");
    return undefined;
  }
  const resolve = (reference: string, at: string): unknown => {
    const pointer = reference.startsWith("#/") ? reference.slice(1) : undefined;
    if (pointer === undefined) {
      found.add(at, "reference-not-local", "references begin with `#/`: nothing outside the document is read");
      return undefined;
    }
    const value = valueAt(root, pointer);
    if (value === undefined) found.add(at, "reference-unknown", "refers to a place that the document does not have");
    return value;
  };
  return {
    root,
    version: version === "0" ? "3.0" : "3.1",
    found,
    resolve,
    follow(value, at) {
      let current = value;
      let place = at;
      for (let steps = 0; steps < MAX_STEPS; steps++) {
        if (!isRecord(current)) {
          if (current !== undefined) found.add(place, "openapi-structure", "an object is expected here");
          return undefined;
        }
        const { $ref } = current;
        if (typeof $ref !== "string") return { value: current, at: place };
        current = resolve($ref, place);
        place = $ref;
      }
      found.add(at, "reference-circular", "refers to itself");
      return undefined;
    },
  };
}

const MAX_STEPS = 20;

function valueAt(root: JsonObject, pointer: string): unknown {
  let current: unknown = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = decoded(part)?.replaceAll("~1", "/").replaceAll("~0", "~");
    if (name === undefined || typeof current !== "object" || current === null || !Object.hasOwn(current, name))
      return undefined;
    current = (current as JsonObject)[name];
  }
  return current;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** Entries that are not extensions of the document's own (`x-`). */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isRecord(value) ? Object.entries(value).filter(([name]) => !name.startsWith("x-")) : [];
}

export function pointerTo(at: string, ...names: readonly string[]): string {
  return names.reduce((path, name) => `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, at);
}
