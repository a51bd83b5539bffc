import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject, textOf } from "../values.ts";
import type { Fate } from "./rules.ts";

/**
 * These refer to clinical resources without repeating what those say, but in words: they lose the reference and their narratives.
 * All others that refer to a withheld resource (its report, its encounter's observations, the order of a medicine) tell of
 * it, and share its fate.
 */
const ONLY_POINT: ReadonlySet<string> = new Set(
  "Patient Person RelatedPerson Practitioner PractitionerRole Organization Location Encounter EpisodeOfCare Coverage Account Group List CareTeam Composition Provenance AuditEvent Schedule Slot".split(
    " ",
  ),
);

/** What becomes of the resources of one answer, with those that refer to them. */
export interface Related {
  readonly fates: ReadonlyMap<JsonObject, Fate>;
  /** Is it a reference to a resource that is dropped? */
  isWithheld(reference: string): boolean;
  /** May its narratives tell of one that does not leave as it is? */
  isSilenced(resource: JsonObject): boolean;
}

const NOTHING_RELATED: Related = Object.freeze({
  fates: new Map<JsonObject, Fate>(),
  isWithheld: () => false,
  isSilenced: () => false,
});

/** Follows references within one answer, each once. Does NOT see resources that are not in it. */
export function relatedResources(body: JsonObject, fateOf: (resource: JsonObject) => Fate): Related {
  const entries = entriesOf(body);
  const fates = new Map<JsonObject, Fate>();
  const dropped = new Set<string>();
  const touched = new Set<string>();
  const referrers = new Map<string, Entry[]>();
  const queue: Entry[] = [];

  const withhold = (entry: Entry, fate: Fate): void => {
    if (fate === "keep" || fates.has(entry.resource)) return;
    fates.set(entry.resource, fate);
    for (const name of entry.names) {
      touched.add(name);
      if (fate === "drop") dropped.add(name);
    }
    queue.push(entry);
  };
  for (const entry of entries) withhold(entry, fateOf(entry.resource));
  if (queue.length === 0) return NOTHING_RELATED;

  for (const entry of entries) {
    if (ONLY_POINT.has(textOf(entry.resource["resourceType"]))) continue;
    for (const name of referencesIn(entry.resource, new Set())) {
      const known = referrers.get(name);
      if (known === undefined) referrers.set(name, [entry]);
      else known.push(entry);
    }
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const fate = fates.get(next.resource) ?? "drop";
    for (const name of next.names) for (const referrer of referrers.get(name) ?? []) withhold(referrer, fate);
  }
  return {
    fates,
    isWithheld: (reference) => dropped.has(reference) || dropped.has(literal(reference)),
    isSilenced: (resource) =>
      ONLY_POINT.has(textOf(resource["resourceType"])) &&
      [...referencesIn(resource, new Set())].some((reference) => touched.has(reference)),
  };
}

interface Entry {
  readonly resource: JsonObject;
  /** `Type/id`, and the full URL. */
  readonly names: readonly string[];
}

function entriesOf(body: JsonObject): readonly Entry[] {
  const { entry } = body;
  if (body["resourceType"] !== "Bundle" || !Array.isArray(entry)) return [];
  return entry.flatMap((one) => {
    if (!isObject(one) || !isObject(one["resource"])) return [];
    const { resource, fullUrl } = one;
    const names = typeof fullUrl === "string" ? [fullUrl] : [];
    if (typeof resource["id"] === "string") names.push(`${textOf(resource["resourceType"])}/${resource["id"]}`);
    return [{ resource, names }, ...entriesOf(resource)];
  });
}

/** Each as it stands, and as `Type/id`. */
function referencesIn(node: Json, found: Set<string>): ReadonlySet<string> {
  if (Array.isArray(node)) for (const item of node) referencesIn(item, found);
  if (!isObject(node)) return found;
  const { reference } = node;
  if (typeof reference === "string") found.add(reference).add(literal(reference));
  for (const value of Object.values(node)) if (typeof value === "object" && value !== null) referencesIn(value, found);
  return found;
}

/** `Type/id` at the end of a relative, absolute or versioned reference. */
function literal(reference: string): string {
  return /(?<![A-Za-z])([A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference)?.[1] ?? "";
}
