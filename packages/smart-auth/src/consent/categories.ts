import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { isObject, type JsonObject } from "../resource.ts";

/** What belongs to a data category, told by labels and by codes. One is enough. */
export interface DataCategory {
  /** Stands for it in `Withheld.category`: `sud`. */
  readonly name: string;
  /** `system|code` of `meta.security`, the code system's name in full. */
  readonly labels?: readonly string[];
  /** `system|code` of any coding in the resource. */
  readonly codes?: readonly string[];
  /** Resource types that belong to it as a whole. */
  readonly types?: readonly string[];
}

export interface CategorySettings {
  readonly name: string;
  readonly labels: ReadonlySet<string>;
  readonly codes: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

const KNOWN = ["name", "labels", "codes", "types"] as const satisfies readonly (keyof DataCategory)[];
/** Deeper than any resource is. */
const DEPTH_LIMIT = 64;

export function parseCategories(
  found: Findings,
  categories: readonly DataCategory[],
  path: string,
): ReadonlyMap<string, CategorySettings> {
  const parsed = new Map<string, CategorySettings>();
  if (!Array.isArray(categories)) {
    found.add(path, "not-a-list", "must be a list of data categories");
    return parsed;
  }
  (categories as readonly DataCategory[]).forEach((category, at) => {
    const here = join(path, at);
    if (category === null || typeof category !== "object") {
      found.add(here, "not-an-object", "must be a data category");
      return;
    }
    refuseUnknownKeys(found, category, KNOWN, here);
    const { name } = category;
    if (typeof name !== "string" || name === "" || parsed.has(name)) {
      found.add(join(here, "name"), "not-a-name", "must be a name of its own");
    }
    const setOf = (key: "labels" | "codes" | "types") => {
      const values: unknown = category[key] ?? [];
      const isGood = (value: unknown) =>
        typeof value === "string" && (key === "types" || /^[^|\s]+\|[^|\s]+$/.test(value));
      if (Array.isArray(values) && values.every(isGood)) return new Set<string>(values as string[]);
      found.add(
        join(here, key),
        "not-a-list",
        key === "types" ? "must be resource types" : "must be written system|code",
      );
      return new Set<string>();
    };
    const settings = { name, labels: setOf("labels"), codes: setOf("codes"), types: setOf("types") };
    if (settings.labels.size + settings.codes.size + settings.types.size === 0) {
      found.add(here, "empty", "nothing could ever belong to it");
    }
    parsed.set(name, Object.freeze(settings));
  });
  return parsed;
}

/**
 * Whether a resource belongs to a category: by its type, by a label of it or of anything contained in it, or by any coding at
 * any depth. What is too deep to be looked through belongs to it.
 */
export function isOfCategory(resource: JsonObject, category: CategorySettings): boolean {
  return holds(resource, category, 0);
}

function holds(value: unknown, category: CategorySettings, depth: number): boolean {
  if (value === null || typeof value !== "object") return false;
  if (depth > DEPTH_LIMIT) return true;
  if (Array.isArray(value)) return value.some((part) => holds(part, category, depth + 1));
  if (!isObject(value)) return true;
  const { resourceType, system, code } = value;
  if (typeof resourceType === "string" && category.types.has(resourceType)) return true;
  if (typeof code === "string" && typeof system === "string") {
    // A label is a coding as well; which of the two it is, its place tells. Either speaks for the category.
    const key = `${system}|${code}`;
    if (category.codes.has(key) || category.labels.has(key)) return true;
  }
  return Object.values(value).some((part) => holds(part, category, depth + 1));
}
