import type { PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type Backend, fhir, type Json, startBackend } from "./support/backend.ts";
import { type Edge, startEdge } from "./support/edge.ts";

/** What a server that can do everything says of itself. */
const everything = (types: readonly string[], more: Record<string, Json> = {}): Json => ({
  resourceType: "CapabilityStatement",
  url: "http://secret.example/metadata",
  name: "SecretServer",
  software: { name: "SecretServer", version: "7.1" },
  text: { status: "generated", div: "<div xmlns='http://www.w3.org/1999/xhtml'>SecretServer</div>" },
  status: "active",
  date: "2026-01-01",
  kind: "instance",
  fhirVersion: "4.0.1",
  format: ["application/fhir+xml", "application/fhir+json"],
  patchFormat: ["application/json-patch+json", "application/xml-patch+xml"],
  rest: [
    {
      mode: "server",
      security: { description: "SecretServer sign-in" },
      resource: types.map((type) => ({
        type,
        profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
        interaction: CODES.map((code) => ({ code })),
        versioning: "versioned",
        readHistory: true,
        updateCreate: true,
        conditionalCreate: true,
        conditionalDelete: "single",
        searchInclude: ["Observation:subject", "Observation:secret", "Claim:patient", "*"],
        searchParam: ["_id", "secret-column", type === "Patient" ? "birthdate" : "code", "x-tag"].map((name) => ({
          name,
          type: "token",
          documentation: "SecretServer",
        })),
        operation: ["everything", "secret-dump"].map((name) => ({ name, definition: `http://x.example/${name}` })),
      })),
      interaction: ["transaction", "batch", "search-system", "history-system"].map((code) => ({ code })),
      operation: ["export", "secret-dump"].map((name) => ({ name, definition: `http://x.example/${name}` })),
    },
  ],
  ...more,
});
const CODES = [
  "read",
  "vread",
  "update",
  "patch",
  "delete",
  "history-instance",
  "history-type",
  "create",
  "search-type",
] as const;

interface Statement {
  readonly resourceType: string;
  readonly implementation: { readonly url: string };
  readonly rest: readonly {
    readonly security: { readonly service: readonly { readonly coding: readonly { readonly code: string }[] }[] };
    readonly resource?: readonly {
      readonly type: string;
      readonly interaction: readonly { readonly code: string }[];
      readonly searchParam?: readonly { readonly name: string }[];
      readonly operation?: readonly { readonly name: string }[];
    }[];
    readonly interaction?: readonly { readonly code: string }[];
  }[];
}

const TYPES = ["Patient", "Observation"];
const route =
  (change: Partial<RoutePolicy>) =>
  (policy: PolicyDocument): PolicyDocument => ({
    ...policy,
    routes: policy.routes.map((one) => ({ ...one, ...change })),
  });

/** Answers any request as a server would that does all it is asked. */
function obey(backend: Backend, statement: Json): void {
  const found = backend.answer;
  backend.answer = (req, res, body) => {
    if (req.url?.startsWith("/r4/metadata") === true) return fhir(res, statement);
    if (req.method === "GET") return found(req, res, body);
    return fhir(res, JSON.parse(body === "" ? "{}" : body) as Json, req.method === "POST" ? 201 : 200);
  };
}

async function statementOf(edge: Edge): Promise<{ statement: Statement; text: string }> {
  const answer = await fetch(`${edge.base}/metadata`);
  const text = await answer.text();
  expect(answer.status).toBe(200);
  return { statement: JSON.parse(text) as Statement, text };
}

describe("CapabilityStatement", () => {
  it("says of what the upstream can do only what is served here, and nothing of who made it (S15)", async () => {
    const edge = await startEdge(
      route({ types: TYPES, interactions: ["capabilities", "read", "search-type"], extraParameters: ["x-tag"] }),
    );
    obey(edge.backend, everything([...TYPES, "Claim"]));
    const { statement, text } = await statementOf(edge);
    expect(text).not.toMatch(/secret/i);
    expect(statement.implementation.url).toBe("http://127.0.0.1/fhir");
    const [rest] = statement.rest;
    expect(rest?.resource?.map(({ type }) => type)).toEqual(["Observation", "Patient"]);
    expect(rest?.resource?.[0]).toEqual({
      type: "Observation",
      profile: "http://hl7.org/fhir/StructureDefinition/Observation",
      versioning: "versioned",
      interaction: [{ code: "read" }, { code: "search-type" }],
      searchInclude: ["Observation:subject"],
      searchParam: ["_id", "code", "x-tag"].map((name) => ({ name, type: "token" })),
    });
    expect(rest?.interaction).toBeUndefined();
  });

  it("R4 http.html#capabilities: what it says and what is then done agree, for every interaction", async () => {
    const interactions = ["capabilities", "read", "search-type", "create", "history-instance", "batch"] as const;
    const edge = await startEdge(route({ types: TYPES, interactions }));
    obey(edge.backend, everything([...TYPES, "Practitioner"]));
    const { statement } = await statementOf(edge);
    const said = (type: string): readonly string[] =>
      statement.rest[0]?.resource?.find((one) => one.type === type)?.interaction.map(({ code }) => code) ?? [];
    for (const type of ["Observation", "Practitioner"])
      for (const code of CODES) {
        expect(await isOffered(edge, ...requestOf(type, code)), `${code} on ${type}`).toBe(said(type).includes(code));
      }
    const answered = { resourceType: "Bundle", entry: [{ response: { status: "404" } }] };
    const batch = { resourceType: "Bundle", type: "batch", entry: [{ request: { method: "GET", url: "Patient/a" } }] };
    for (const code of ["batch", "transaction"] as const) {
      edge.backend.answer = (_req, res) => fhir(res, { ...answered, type: `${code}-response` });
      const offered = await isOffered(edge, "/", { ...sending("POST", { ...batch, type: code }), claims: ALL });
      expect(offered, code).toBe(statement.rest[0]?.interaction?.some((one) => one.code === code) ?? false);
    }
  });

  it("a search parameter it names is one that may be asked with, and one it leaves out is refused", async () => {
    const edge = await startEdge(route({ types: TYPES, extraParameters: ["x-tag"] }));
    obey(edge.backend, everything(TYPES));
    const { statement } = await statementOf(edge);
    const names = statement.rest[0]?.resource?.find(({ type }) => type === "Observation")?.searchParam ?? [];
    for (const name of ["_id", "code", "x-tag", "secret-column"]) {
      const { status } = await edge.ask(`/Observation?${name}=weight`);
      expect(status, name).toBe(names.some((one) => one.name === name) ? 200 : 400);
    }
  });

  it("SMART 2.2: apps that look for the OAuth endpoints here find them", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      issuers: policy.issuers.map((issuer) => ({
        ...issuer,
        smart: {
          authorizationEndpoint: `${issuer.issuer}/auth`,
          tokenEndpoint: `${issuer.issuer}/token`,
          capabilities: ["launch-standalone"],
        },
      })),
    }));
    obey(edge.backend, everything(TYPES));
    const [rest] = (await statementOf(edge)).statement.rest;
    expect(rest?.security).toEqual({
      extension: [
        {
          url: "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
          extension: [
            { url: "authorize", valueUri: `${edge.issuer.url}/auth` },
            { url: "token", valueUri: `${edge.issuer.url}/token` },
          ],
        },
      ],
      cors: false,
      service: ["OAuth", "SMART-on-FHIR"].map((code) => ({
        coding: [{ system: "http://terminology.hl7.org/CodeSystem/restful-security-service", code }],
      })),
    });
  });

  it("SMART 2.2: the smart-configuration names the scopes that were approved for the route, unless the policy names others", async () => {
    const supported = async (own: object): Promise<unknown> => {
      const edge = await startEdge((policy) => ({
        ...route({ registry: { approvedScopes: ["patient/Patient.rs", "launch/patient"] } })(policy),
        issuers: policy.issuers.map((issuer) => {
          const smart = {
            tokenEndpoint: `${issuer.issuer}/token`,
            capabilities: ["client-confidential-asymmetric"],
            ...own,
          };
          return { ...issuer, smart };
        }),
      }));
      const answer = await fetch(`${edge.base}/.well-known/smart-configuration`);
      return ((await answer.json()) as { scopes_supported?: unknown }).scopes_supported;
    };
    expect(await supported({})).toEqual(["launch/patient", "patient/Patient.rs"]);
    expect(await supported({ scopesSupported: ["openid"] })).toEqual(["openid"]);
  });

  it("of several systems behind one base each is asked for what it answers; without one there is no statement", async () => {
    const claims = await startBackend();
    obey(claims, everything(["Claim", "Patient"]));
    const edge = await startEdge((policy) => ({
      ...route({ types: [...TYPES, "Claim"], backends: [{ types: ["Claim"], upstream: "claims" }] })(policy),
      upstreams: { ...policy.upstreams, claims: { url: claims.url } },
    }));
    obey(edge.backend, everything(["Observation", "Claim"]));
    const { statement } = await statementOf(edge);
    expect(statement.rest[0]?.resource?.map(({ type }) => type)).toEqual(["Claim", "Observation"]);
    await claims.stop();
    expect((await fetch(`${edge.base}/metadata`)).status).toBe(502);
  });

  it("an upstream that states nothing has nothing put into its mouth", async () => {
    const edge = await startEdge();
    const refusal: Json = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found" }] };
    edge.backend.answer = (_req, res) => fhir(res, refusal, 404);
    expect((await fetch(`${edge.base}/metadata`)).status).toBe(404);
    edge.backend.answer = (_req, res) => fhir(res, { resourceType: "CapabilityStatement", status: "active" });
    expect((await statementOf(edge)).statement.rest[0]?.resource).toBeUndefined();
  });
});

const ALL = { scope: "system/*.cruds", patient: undefined, sub: "app", client_id: "app" };
const NOT_OFFERED = ["smart-auth/interaction-not-allowed", "smart-auth/type-not-served"];

/** Refused for what it asks, not for who asks or with what. */
async function isOffered(edge: Edge, ...asked: Parameters<Edge["ask"]>): Promise<boolean> {
  const { status, text } = await edge.ask(...asked);
  if (NOT_OFFERED.some((code) => text.includes(code))) return false;
  // What is asked about may be absent; nothing else may stand in the way.
  expect([200, 201, 204, 404], `${asked[0]}: ${text}`).toContain(status);
  return true;
}
const WEIGHT = {
  resourceType: "Observation",
  id: "oa",
  status: "final",
  code: { text: "w" },
  subject: { reference: "Patient/a" },
};

function sending(
  method: string,
  body: unknown,
  type = "application/fhir+json",
): { method: string; body: string; headers: Record<string, string> } {
  return { method, body: JSON.stringify(body), headers: { "content-type": type } };
}

/** A request that nothing but the route's list could refuse. */
function requestOf(type: string, code: (typeof CODES)[number]): Parameters<Edge["ask"]> {
  const id = type === "Observation" ? "oa" : "p";
  const body = type === "Observation" ? WEIGHT : { resourceType: type, id };
  switch (code) {
    case "read":
      return [`/${type}/${id}`, { claims: ALL }];
    case "vread":
      return [`/${type}/${id}/_history/1`, { claims: ALL }];
    case "update":
      return [`/${type}/${id}`, { ...sending("PUT", body), claims: ALL }];
    case "patch":
      return [
        `/${type}/${id}`,
        {
          ...sending("PATCH", [{ op: "add", path: "/language", value: "en" }], "application/json-patch+json"),
          claims: ALL,
        },
      ];
    case "delete":
      return [`/${type}/${id}`, { method: "DELETE", claims: ALL }];
    case "history-instance":
      return [`/${type}/${id}/_history`, { claims: ALL }];
    case "history-type":
      return [`/${type}/_history`, { claims: ALL }];
    case "create":
      return [`/${type}`, { ...sending("POST", { ...body, id: undefined }), claims: ALL }];
    case "search-type":
      return [`/${type}`, { claims: ALL }];
  }
}
