import type { PolicyDocument, PolicySource, RoutePolicy } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { checkPolicy, diffPolicies } from "../src/index.ts";

const SIGN_IN = {
  upstream: "identity",
  path: "/oauth",
  endpoints: { token: "/token" },
  pages: ["/login/*"],
  clients: [{ clientId: "backend", jwksUri: "https://backend.example/jwks" }],
};
const BASE = {
  upstreams: { ehr: { url: "https://ehr.example/r4" }, identity: { url: "https://id.example/oauth" } },
  issuer: "https://id.example",
  signIn: SIGN_IN,
  tiers: { apps: { windows: [{ name: "app", limit: 10, windowSeconds: 1, by: "client" }] } },
  routes: [
    { id: "apps", path: "/fhir", zone: "patient", apiType: "patient-access", interactions: ["read"], upstream: "ehr" },
  ],
} satisfies PolicySource;

function changes(change: (policy: Writable) => void): string[] {
  const after = structuredClone(BASE) as unknown as Writable;
  change(after);
  return diffPolicies(policyOf(BASE), policyOf(after)).map(({ effect, text }) => `${effect}: ${text}`);
}

type Writable = Omit<PolicySource, "routes" | "tiers"> & {
  routes: { -readonly [Key in keyof RoutePolicy]?: unknown }[];
  tiers: Record<string, { windows: Record<string, unknown>[] }>;
  trustedProxies?: string[];
  development?: boolean;
};

function policyOf(source: unknown): PolicyDocument {
  return checkPolicy(source).policy;
}

describe("diffPolicies", () => {
  it("says nothing about the same policy", () => {
    expect(changes(() => undefined)).toEqual([]);
  });

  it.each<[string, (policy: Writable) => void, string[]]>([
    [
      "an interaction more",
      (p) => Object.assign(p.routes[0] ?? {}, { interactions: ["read", "create"] }),
      ["permits: routes.apps.interactions gains create"],
    ],
    [
      "an interaction in place of another",
      (p) => Object.assign(p.routes[0] ?? {}, { interactions: ["vread"] }),
      ["permits: routes.apps.interactions gains vread", "refuses: routes.apps.interactions loses read"],
    ],
    [
      "a page of the authorisation server more, and proofs of all clients",
      (p) => Object.assign(p, { signIn: { ...SIGN_IN, pages: ["/login/*", "/admin/*"], assertions: "all" } }),
      ["permits: signIn.pages gains /admin/*", 'refuses: signIn.assertions: (not set) becomes "all"'],
    ],
    [
      "clients where there was no list",
      (p) => Object.assign(p.routes[0] ?? {}, { clients: ["app"] }),
      ["refuses: routes.apps.clients is limited to app"],
    ],
    [
      "types where there was no list",
      (p) => Object.assign(p.routes[0] ?? {}, { types: ["Patient"] }),
      ["refuses: routes.apps.types is limited to Patient"],
    ],
    [
      "longer chains, and R4's examples as its text has them",
      (p) => Object.assign(p.routes[0] ?? {}, { schema: { exampleFaults: "refuse", maxChain: 5 } }),
      [
        'refuses: routes.apps.schema.exampleFaults: (not set) becomes "refuse"',
        "permits: routes.apps.schema.maxChain: (not set) becomes 5",
      ],
    ],
    [
      "a wider window",
      (p) => Object.assign(p.tiers["apps"]?.windows[0] ?? {}, { limit: 20 }),
      ["permits: tiers.apps.windows.app.limit: 10 becomes 20"],
    ],
    [
      "the wider compartment",
      (p) => Object.assign(p.routes[0] ?? {}, { compartmentRule: "full" }),
      ['permits: routes.apps.compartmentRule: (not set) becomes "full"'],
    ],
    [
      "a proxy that is believed",
      (p) => Object.assign(p, { trustedProxies: ["10.0.0.0/24"] }),
      ["permits: trustedProxies gains 10.0.0.0/24"],
    ],
    [
      "an audit that may be lost",
      (p) => Object.assign(p, { audit: { durability: "async" } }),
      ['permits: audit.durability: (not set) becomes "async"'],
    ],
  ])("tells %s", (_what, change, expected) => {
    expect(changes(change)).toEqual(expected);
  });

  it("tells a new route and a route that is gone", () => {
    const found = changes((p) => {
      p.routes[0] = { ...p.routes[0], id: "other", path: "/other" };
    });
    expect(found).toContain("refuses: the route /fhir of the patient zone is gone");
    expect(found).toContain("permits: a new route /other of the patient zone permits read");
  });
});
