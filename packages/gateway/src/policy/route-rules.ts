import { isResourceType } from "@wardline/fhir-r4";
import type { Findings, PolicyDocument } from "@wardline/policy-types";

/** No two routes claim one request, so every request lies in one zone. */
export function checkClaims({ routes }: PolicyDocument, found: Findings): void {
  for (const [index, { id, path }] of routes.entries()) {
    const here = `routes[${index}]`;
    const before = routes.slice(0, index);
    if (before.some((other) => other.id === id)) {
      found.add(`${here}.id`, "repeated", `two routes have the id \`${id}\`; give each its own`);
    }
    if (before.some((other) => other.path === path)) {
      const message = `two routes have the path \`${path}\`; a request must belong to one zone, so give each its own`;
      found.add(`${here}.path`, "repeated", message);
    }
    const outer = routes.find((other) => path.startsWith(`${other.path}/`) && isFhirStep(path, other.path));
    if (outer === undefined) continue;
    const message = `a request under it is one of \`${outer.path}\` as well; move it beside that route, \`${beside(outer.path)}\``;
    found.add(`${here}.path`, "claimed-twice", message);
  }
}

/** What stands below a FHIR base and means something there. @see https://hl7.org/fhir/R4/http.html */
function isFhirStep(path: string, outer: string): boolean {
  const [step = ""] = path.slice(outer.length + 1).split("/");
  return isResourceType(step) || ["metadata", "_history", "_search", ".well-known"].includes(step);
}

function beside(path: string): string {
  return `${path}-2`;
}
