import { type ApiDocumentsOptions, apiDocuments, type InventoryEntry } from "@wardline/api-inventory";
import type { ApiDocumentsPolicy, Findings, PolicyDocument, TrustZone } from "@wardline/policy-types";
import type { RequestHandler } from "express";
import { resourceMetadataPath } from "../auth.ts";

const TOLD_BY_DEFAULT: readonly TrustZone[] = ["patient"];

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
  return [...policy.routes.map(resourceMetadataPath), ...documentPaths(policy.apiDocuments)];
}

export function documentPaths(published: ApiDocumentsPolicy | undefined): string[] {
  if (published === undefined) return [];
  return [published.documentPath ?? "/openapi.json", published.pagePath ?? "/api.html"];
}

export function checkApiDocuments({ apiDocuments: published, routes }: PolicyDocument, found: Findings): void {
  if (published === undefined) return;
  const { zones = TOLD_BY_DEFAULT } = published;
  if (!routes.some(({ zone }) => zones.includes(zone)))
    found.add("apiDocuments.zones", "documents", `no route lies in ${zones.join(" or ")}: name a zone that has routes`);
  const [document = "", page = ""] = documentPaths(published);
  if (document === page)
    found.add("apiDocuments.pagePath", "documents", "give the page a path of its own, `/api.html`");
  for (const [key, path] of Object.entries({ documentPath: document, pagePath: page })) {
    const route = routes.find((each) => path === each.path || path.startsWith(`${each.path}/`));
    if (route !== undefined)
      found.add(
        `apiDocuments.${key}`,
        "documents",
        `lies within the route \`${route.id}\`: give it a path outside the routes`,
      );
  }
}

function tokenPlaces({ issuers }: PolicyDocument): ApiDocumentsOptions["oauth"] {
  const smart = issuers.find((issuer) => issuer.smart !== undefined)?.smart;
  if (smart === undefined) return undefined;
  const { authorizationEndpoint, tokenEndpoint } = smart;
  return { tokenEndpoint, ...(authorizationEndpoint === undefined ? {} : { authorizationEndpoint }) };
}
