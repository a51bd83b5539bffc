import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { listOf } from "../conditions/options.ts";
import { type CategorySettings, type DataCategory, parseCategories } from "./categories.ts";
import type { ActorOf } from "./from-resource.ts";
import type { ConsentRegistry } from "./registry.ts";

export interface ConsentOptions {
  /** What patients withhold; one for all instances. Absent: only the categories of `withhold` rules stay behind. */
  readonly registry?: ConsentRegistry;
  /** Default none. */
  readonly categories?: readonly DataCategory[];
  /** Consent resources written through here are taken at their word. Default true, with a registry. */
  readonly readResources?: boolean;
  /** Clients with which patients manage consent: no Consent is withheld from them, else nobody could change it. Default none. */
  readonly managers?: readonly string[];
  /** Whom the actors of a Consent stand for. Default: `Organization/1` and `Device/1` by these names. */
  readonly actorOf?: ActorOf;
}

export interface ConsentSettings {
  readonly registry?: ConsentRegistry;
  readonly categories: ReadonlyMap<string, CategorySettings>;
  readonly readResources: boolean;
  readonly managers: ReadonlySet<string>;
  readonly actorOf?: ActorOf;
}

const KNOWN = [
  "registry",
  "categories",
  "readResources",
  "managers",
  "actorOf",
] as const satisfies readonly (keyof ConsentOptions)[];

export function parseConsent(found: Findings, options: ConsentOptions, path: string): ConsentSettings {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must have `registry`, `categories` or both");
    return Object.freeze({ categories: new Map(), readResources: false, managers: new Set<string>() });
  }
  refuseUnknownKeys(found, options, KNOWN, path);
  const { registry, actorOf } = options;
  if (registry !== undefined && typeof registry?.view !== "function") {
    found.add(join(path, "registry"), "not-a-registry", "must have `view`");
  }
  if (actorOf !== undefined && typeof actorOf !== "function") {
    found.add(join(path, "actorOf"), "not-a-function", "must be a function");
  }
  return Object.freeze({
    ...(registry === undefined ? {} : { registry }),
    categories: parseCategories(found, options.categories ?? [], join(path, "categories")),
    managers: new Set(listOf(found, options.managers, join(path, "managers"), () => true)),
    readResources: registry !== undefined && options.readResources !== false,
    ...(actorOf === undefined ? {} : { actorOf }),
  });
}
