import { type Findings, type PolicyDocument, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";

/** What means something on a route that is not FHIR; everything else there would look as if it protected something. */
const MEANINGFUL: ReadonlySet<string> = new Set(
  "id path zone apiType upstream tier tiersFor clients addresses registry interactions openApi".split(" "),
);

/** A route is FHIR, with interactions, or has an OpenAPI document, with roles: one authority for each. */
export function checkOpenApi(policy: PolicyDocument, found: Findings): void {
  for (const [index, route] of policy.routes.entries()) {
    const path = `routes[${index}]`;
    if (route.openApi !== undefined) checkDocumentRoute(policy, route, path, found);
    else if (route.interactions.length === 0)
      found.add(`${path}.interactions`, "missing", "say what may be asked, as in `[read, search-type]`");
  }
}

function checkDocumentRoute(
  { conditions = [] }: PolicyDocument,
  route: RoutePolicy,
  path: string,
  found: Findings,
): void {
  const { authentication } = ZONE_PRESETS[route.zone];
  if (authentication === "smart-token" || authentication === "device-certificate") {
    const message = "a document knows roles, not patients or devices; put it into the internal or the partner zone";
    found.add(`${path}.zone`, "not-fhir", message);
  }
  if (route.interactions.length > 0)
    found.add(`${path}.interactions`, "not-fhir", "the document says what may be asked; leave `interactions` out");
  for (const key of Object.keys(route)) {
    if (MEANINGFUL.has(key)) continue;
    found.add(`${path}.${key}`, "not-fhir", "means something on FHIR routes only; leave it out");
  }
  for (const [index, { effect, on = {} }] of conditions.entries()) {
    const isMeant = (on.zones?.includes(route.zone) ?? true) && (on.routes?.includes(route.id) ?? true);
    if (effect === "permit" || !isMeant) continue;
    const message = `is judged on FHIR routes only, and would be passed over at \`${route.id}\`; name other routes in \`on.routes\``;
    found.add(`conditions[${index}]`, "not-fhir", message);
  }
}
