import { type ApiDocumentsOptions, apiDocuments, type InventoryEntry } from "@wardline/api-inventory";
import type { PolicyDocument, TrustZone } from "@wardline/policy-types";
import type { RequestHandler } from "express";
import { resourceMetadataPath } from "../auth.ts";
import { documentPaths, TOLD_BY_DEFAULT } from "../policy/api-documents-rules.ts";
import { serverMetadataPaths } from "../sign-in/metadata.ts";

/** The OpenAPI document of the routes that anybody may read about and its page; none through a door without such routes. */
export function publishedDocuments(
  policy: PolicyDocument,
  entries: readonly InventoryEntry[],
  door: ReadonlySet<TrustZone>,
  now: () => number,
): RequestHandler | undefined {
  const { apiDocuments: published } = policy;
  if (published === undefined) return undefined;
  const { zones = TOLD_BY_DEFAULT, ...content } = published;
  const told = entries.filter(({ zone }) => zone !== undefined && zones.includes(zone) && door.has(zone));
  if (told.length === 0) return undefined;
  const oauth = tokenPlaces(policy);
  return apiDocuments({
    ...content,
    entries: told,
    origin: policy.publicOrigin,
    now,
    ...(oauth === undefined ? {} : { oauth }),
  });
}

/** What this edge itself answers, to anybody: no endpoint of the data, so nothing for the inventory. */
export function ownPaths(policy: PolicyDocument): string[] {
  return [
    ...policy.routes.map(resourceMetadataPath),
    ...serverMetadataPaths(policy),
    ...documentPaths(policy.apiDocuments),
  ];
}

function tokenPlaces({ issuers }: PolicyDocument): ApiDocumentsOptions["oauth"] {
  const smart = issuers.find((issuer) => issuer.smart !== undefined)?.smart;
  if (smart === undefined) return undefined;
  const { authorizationEndpoint, tokenEndpoint } = smart;
  return { tokenEndpoint, ...(authorizationEndpoint === undefined ? {} : { authorizationEndpoint }) };
}
