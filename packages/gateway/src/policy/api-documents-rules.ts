import type { ApiDocumentsPolicy, Findings, PolicyDocument, TrustZone } from "@wardline/policy-types";

export const TOLD_BY_DEFAULT: readonly TrustZone[] = ["patient"];

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
