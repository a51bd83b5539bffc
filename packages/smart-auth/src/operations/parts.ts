import type { Json } from "@wardline/policy-types/express";
import { type FhirResource, isFhirResource, isObject, type JsonObject, objectsOf } from "../resource.ts";

/** One resource of a submission, and the address a Bundle gives it. */
export interface Part {
  readonly resource: FhirResource;
  readonly fullUrl?: string;
}

/** Bundles that only hold. The others ask something of a server, or answer it. */
const HOLDING: ReadonlySet<Json | undefined> = new Set<Json | undefined>(["collection", "document", "message"]);

/**
 * The resources of a submission: itself, the entries of a Bundle, the resources of Parameters, or of a Bundle in
 * Parameters. `undefined` for whatever holds anything else: a plain value, or an entry's request, is nobody's.
 */
export function partsOf(submitted: FhirResource): readonly Part[] | undefined {
  switch (submitted.resourceType) {
    case "Bundle":
      return bundleParts(submitted);
    case "Parameters":
      return parameterParts(submitted["parameter"]);
    default:
      return [{ resource: submitted }];
  }
}

function bundleParts(bundle: JsonObject): readonly Part[] | undefined {
  const entries = HOLDING.has(bundle["type"]) ? objectsOf(bundle["entry"]) : undefined;
  return whole(
    entries?.map(({ resource, fullUrl, request, response, link }): readonly Part[] | undefined => {
      const isPlain = request === undefined && response === undefined && link === undefined;
      if (!isPlain || !isSingle(resource)) return undefined;
      if (fullUrl === undefined) return [{ resource }];
      return isAddressOf(fullUrl, resource) ? [{ resource, fullUrl }] : undefined;
    }),
  );
}

function parameterParts(parameter: Json | undefined): readonly Part[] | undefined {
  return whole(
    objectsOf(parameter)?.map(({ name, resource, part, ...rest }): readonly Part[] | undefined => {
      const isPlain = typeof name === "string" && Object.keys(rest).length === 0;
      if (!isPlain || (resource === undefined) === (part === undefined)) return undefined;
      if (part !== undefined) return parameterParts(part);
      if (isObject(resource) && resource["resourceType"] === "Bundle") return bundleParts(resource);
      return isSingle(resource) ? [{ resource }] : undefined;
    }),
  );
}

function isSingle(resource: Json | undefined): resource is FhirResource {
  return isFhirResource(resource) && resource.resourceType !== "Bundle" && resource.resourceType !== "Parameters";
}

/** R4 bundle.html: an address that is no `urn:` ends in the resource's own type and id. */
function isAddressOf(fullUrl: Json, { resourceType, id }: FhirResource): fullUrl is string {
  if (typeof fullUrl !== "string") return false;
  return fullUrl.startsWith("urn:") || fullUrl.endsWith(`/${resourceType}/${typeof id === "string" ? id : "?"}`);
}

function whole(found: readonly (readonly Part[] | undefined)[] | undefined): readonly Part[] | undefined {
  const parts: Part[] = [];
  for (const some of found ?? [undefined]) {
    if (some === undefined) return undefined;
    for (const part of some) parts.push(part);
  }
  return parts;
}
