import type { Findings, PolicyDocument, RoutePolicy } from "@wardline/policy-types";

/** One answer for each version, and nothing under way of which nobody knows the version. */
export function checkVersions({ bulkExport }: PolicyDocument, route: RoutePolicy, path: string, found: Findings): void {
  const { fhirVersion = "4.0", versions = [], openApi, operations = [] } = route;
  for (const [index, one] of versions.entries()) {
    const before = [fhirVersion, ...versions.slice(0, index).map((other) => other.fhirVersion)];
    if (!before.includes(one.fhirVersion)) continue;
    const message = `two upstreams answer for FHIR ${one.fhirVersion}; name each version once`;
    found.add(`${path}.versions[${index}].fhirVersion`, "repeated", message);
  }
  if (openApi !== undefined && (route.fhirVersion !== undefined || versions.length > 0)) {
    const message = "this route is not FHIR; leave `fhirVersion` and `versions` out";
    found.add(`${path}.${versions.length > 0 ? "versions" : "fhirVersion"}`, "not-fhir", message);
  }
  if (bulkExport !== undefined && versions.length > 0 && operations.includes("export")) {
    const message = "an export that this edge answers later names no version; give each version a route of its own";
    found.add(`${path}.versions`, "export", message);
  }
}
