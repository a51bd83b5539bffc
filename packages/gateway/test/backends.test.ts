import { parseInteraction } from "@wardline/fhir-r4";
import type { RoutePolicy } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { backendsOf } from "../src/proxy/backends.ts";
import type { Upstream } from "../src/proxy/upstream.ts";

const upstream = (name: string): Upstream => ({ name }) as Upstream;
const UPSTREAMS = new Map([
  ["ehr", upstream("ehr")],
  ["claims", upstream("claims")],
]);
const ROUTE: RoutePolicy = {
  id: "hub",
  path: "/fhir",
  zone: "internal",
  apiType: "clinical",
  upstream: "ehr",
  backends: [{ types: ["Claim", "ClaimResponse"], upstream: "claims" }],
  interactions: ["read"],
  tier: "t",
};

function backendFor(method: string, target: string, body?: unknown): string | undefined {
  const [path = "", query] = target.split("?");
  const interaction = parseInteraction({ method, path, ...(query === undefined ? {} : { query }), body });
  return backendsOf(ROUTE, UPSTREAMS).forInteraction(interaction)?.name;
}

describe("backendsOf", () => {
  it.each([
    ["GET", "/Claim/1", "claims"],
    ["GET", "/Patient/1", "ehr"],
    ["GET", "/metadata", "ehr"],
    ["GET", "/ClaimResponse?request:Claim.status=active", "claims"],
  ])("%s %s is answered by one system", (method, target, name) => {
    expect(backendFor(method, target)).toBe(name);
  });

  it.each([
    ["a search over all types", "GET", "/?_lastUpdated=gt2020"],
    ["a chain into another system", "GET", "/Claim?patient:Patient.name=Ash"],
  ])("%s is nobody's to answer", (_what, method, target) => {
    expect(backendFor(method, target)).toBeUndefined();
  });

  it("a batch belongs to the system of all its entries", () => {
    const entry = (url: string): object => ({ request: { method: "GET", url } });
    const batch = (...urls: string[]): object => ({ resourceType: "Bundle", type: "batch", entry: urls.map(entry) });
    expect(backendFor("POST", "/", batch("Claim/1", "ClaimResponse/2"))).toBe("claims");
    expect(backendFor("POST", "/", batch("Claim/1", "Patient/2"))).toBeUndefined();
  });
});
