import type { IncomingMessage } from "node:http";
import { renderQuery } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";
import { isFhirResource, objectsOf } from "../resource.ts";
import type { SmartAuthSettings } from "../settings.ts";
import { NO_STORE, type SearchStored, type Store, type StoredReference, withDeadline } from "../stored.ts";

/** What one request may ask of the store behind the handler. */
export function storeFor(req: IncomingMessage, settings: SmartAuthSettings): Store {
  const { readStored, searchStored, route } = settings;
  if (readStored === undefined && searchStored === undefined && settings.findReferrers === undefined) return NO_STORE;
  const findReferrers =
    settings.findReferrers ??
    (searchStored === undefined
      ? undefined
      : (binary: StoredReference) =>
          findDocumentReferences(binary, route.baseUrls, (search) => searchStored(search, req)));
  return {
    read: readStored && ((reference) => withDeadline(readStored(reference, req))),
    search: searchStored && ((search) => withDeadline(searchStored(search, req))),
    referrers: findReferrers && ((binary) => withDeadline(findReferrers(binary, req))),
  };
}

/** R4 has one search by the address of an attachment. A second page would hide who else refers to the Binary. */
async function findDocumentReferences(
  { type, id }: StoredReference,
  baseUrls: readonly string[],
  search: (search: Parameters<SearchStored>[0]) => Promise<Json>,
): Promise<readonly Json[]> {
  const addresses = [`${type}/${id}`, ...baseUrls.map((base) => `${base}/${type}/${id}`)];
  const bundle = await search({
    type: "DocumentReference",
    query: renderQuery([["location", addresses.join(",")]]),
  });
  const isBundle = isFhirResource(bundle) && bundle.resourceType === "Bundle";
  const entries = isBundle ? objectsOf(bundle["entry"]) : undefined;
  const links = isBundle ? objectsOf(bundle["link"]) : undefined;
  if (entries === undefined || links === undefined || links.some(({ relation }) => relation === "next")) {
    throw new Error("what refers to a Binary could not be found whole");
  }
  return entries.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}
