import type { Json } from "@wardline/policy-types/express";
import { type FhirResource, isObject } from "../resource.ts";
import type { Part } from "./parts.ts";

/** The resources of a submission, as they can be judged. */
export interface Resolved {
  /** References to a Patient of the same Bundle are spelled out: `urn:uuid:…` as `Patient/p1`. */
  readonly resources: readonly FhirResource[];
  /** Addresses of the Bundle's entries: what is named by them is judged itself. */
  readonly addresses: ReadonlySet<string>;
}

/**
 * Resolves references within a Bundle. `undefined` when one address names two entries, or a Patient has no id: it could
 * not be told whose the rest is.
 *
 * @see https://hl7.org/fhir/R4/bundle.html#references
 */
export function resolve(parts: readonly Part[]): Resolved | undefined {
  const given = parts.flatMap(({ fullUrl }) => fullUrl ?? []);
  const addresses = new Set(given);
  if (addresses.size !== given.length) return undefined;
  const patients = new Map<string, string>();
  for (const { fullUrl, resource } of parts) {
    const { id } = resource;
    if (resource.resourceType !== "Patient") continue;
    if (typeof id !== "string") return undefined;
    if (fullUrl !== undefined) patients.set(fullUrl, `Patient/${id}`);
  }
  const resources = parts.map(({ resource }) =>
    patients.size === 0 ? resource : (spelledOut(resource, patients) as FhirResource),
  );
  return { resources, addresses };
}

/** Depth is bounded: the body was parsed within limits. */
function spelledOut(node: Json, patients: ReadonlyMap<string, string>): Json {
  if (Array.isArray(node)) return node.map((one) => spelledOut(one, patients));
  if (!isObject(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => {
      const named = name === "reference" && typeof value === "string" ? patients.get(value) : undefined;
      return [name, named ?? spelledOut(value, patients)];
    }),
  );
}
