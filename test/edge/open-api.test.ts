import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenApiPolicy, PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Edge, startEdge } from "./support/edge.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Worklists", version: "1" },
  paths: {
    "/worklists/{id}": {
      get: {
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string", pattern: "^[a-z0-9-]{1,20}$" } },
          { name: "status", in: "query", schema: { enum: ["open", "closed"] } },
        ],
        responses: {
          200: {
            description: "the list",
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  required: ["tasks"],
                  additionalProperties: false,
                  properties: { tasks: { type: "array", items: { type: "string" } } },
                },
              },
            },
          },
        },
      },
      put: {
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: { type: "object", required: ["title"], properties: { title: { type: "string", maxLength: 20 } } },
            },
          },
        },
        responses: { 204: { description: "kept" } },
      },
    },
  },
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "open-api-"));
  await writeFile(join(folder, "worklists.json"), JSON.stringify(DOCUMENT));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function withWorklists(
  openApi: Partial<OpenApiPolicy> = {},
  route: Partial<RoutePolicy> = {},
): (policy: PolicyDocument) => PolicyDocument {
  return (policy) => ({
    ...policy,
    issuers: policy.issuers.map(({ audience: _audience, ...issuer }) => issuer),
    routes: [
      ...policy.routes,
      {
        id: "worklists",
        path: "/work",
        zone: "internal",
        apiType: "clinical",
        upstream: "ehr",
        tier: "apps",
        addresses: ["127.0.0.0/8"],
        openApi: { file: join(folder, "worklists.json"), roles: ["nurse"], ...openApi },
        ...route,
      },
    ] as RoutePolicy[],
  });
}

interface Got {
  readonly status: number;
  readonly text: string;
  readonly code: string | undefined;
}

async function ask(edge: Edge, path: string, init: RequestInit & { claims?: object } = {}): Promise<Got> {
  const { claims, ...rest } = init;
  const token = await edge.issuer.token({ aud: "http://127.0.0.1/work", roles: ["nurse"], ...claims });
  const headers = { authorization: `Bearer ${token}`, ...(rest.headers as object) };
  const response = await fetch(edge.base.replace("/fhir", "/work") + path, { ...rest, headers });
  const text = await response.text();
  return {
    status: response.status,
    text,
    code: response.ok ? undefined : (JSON.parse(text) as { code?: string }).code,
  };
}

const answering =
  (body: unknown, status = 200): Edge["backend"]["answer"] =>
  (_req, res) => {
    res.writeHead(status, { "Content-Type": "application/json" });
    res.end(JSON.stringify(body));
  };

const put = (body: unknown, type = "application/json"): RequestInit => ({
  method: "PUT",
  headers: { "Content-Type": type },
  body: JSON.stringify(body),
});

describe("a route that an OpenAPI document describes", () => {
  it("asks the upstream what was asked, and gives its answer", async () => {
    const edge = await startEdge(withWorklists());
    edge.backend.answer = answering({ tasks: ["dressing"] });
    expect(await ask(edge, "/worklists/ward-3?status=open")).toMatchObject({
      status: 200,
      text: '{"tasks":["dressing"]}',
    });
    expect(edge.backend.asked).toEqual(["GET /r4/worklists/ward-3?status=open"]);
    expect(edge.backend.headers[0]).toMatchObject({ accept: "application/json, */*;q=0.1" });
    expect(edge.backend.headers[0]).not.toHaveProperty("authorization");
    expect(edge.records.at(-1)).toMatchObject({ status: 200, routeId: "worklists" });
  });

  it("forwards a body as it came", async () => {
    const edge = await startEdge(withWorklists());
    edge.backend.answer = (_req, res) => void res.writeHead(204).end();
    const body = '{ "title": "Ward 3", "weight": 2.00 }';
    const sent = await ask(edge, "/worklists/a", { ...put({}), body });
    expect(sent.status).toBe(204);
    expect(edge.backend.bodies).toEqual([body]);
  });

  it.each<[string, string, RequestInit & { claims?: object }, number, string]>([
    ["a path it does not declare", "/tasks", {}, 404, "fhir-schema/operation-unknown"],
    ["a FHIR path", "/Patient/a", {}, 404, "fhir-schema/operation-unknown"],
    ["a method it does not declare", "/worklists/a", { method: "DELETE" }, 405, "fhir-schema/operation-method"],
    ["a path parameter of another form", "/worklists/A_B", {}, 400, "fhir-schema/operation-parameters"],
    ["a query parameter it does not declare", "/worklists/a?all=1", {}, 400, "fhir-schema/operation-parameters"],
    ["a value outside its list", "/worklists/a?status=lost", {}, 400, "fhir-schema/operation-parameters"],
    ["a body of another form", "/worklists/a", put({ title: 3 }), 400, "fhir-schema/operation-body"],
    ["a body that is missing", "/worklists/a", { method: "PUT" }, 400, "fhir-schema/operation-body"],
    ["another media type", "/worklists/a", put({}, "text/plain"), 415, "fhir-schema/operation-media-type"],
    ["a caller without the role", "/worklists/a", { claims: { roles: ["clerk"] } }, 403, "smart-auth/policy-refused"],
    ["a token for the FHIR route", "/worklists/a", { claims: { aud: "http://127.0.0.1/fhir" } }, 401, ""],
    ["no token", "/worklists/a", { headers: { authorization: "" } }, 401, ""],
  ])("refuses %s, and asks nobody", async (_what, path, init, status, code) => {
    const edge = await startEdge(withWorklists());
    edge.backend.answer = answering({ tasks: [] });
    const got = await ask(edge, path, init);
    expect(got.status).toBe(status);
    if (code !== "") expect(got.code).toBe(code);
    expect(edge.backend.asked).toEqual([]);
  });

  it("S6: refuses another spelling of a path", async () => {
    const edge = await startEdge(withWorklists());
    for (const path of ["/worklists//a", "/worklists/%61", "/worklists/a%2fb", "/worklists/a;b"]) {
      expect((await ask(edge, path)).status, path).toBe(400);
    }
    expect(edge.backend.asked).toEqual([]);
  });

  it("refuses an answer that is not as declared, unless it only reports", async () => {
    const drifted = { tasks: ["x"], patients: ["Ann Ash"] };
    const strict = await startEdge(withWorklists());
    strict.backend.answer = answering(drifted);
    const refused = await ask(strict, "/worklists/a");
    expect([refused.status, refused.code]).toEqual([502, "fhir-schema/operation-response"]);
    expect(refused.text).not.toContain("Ann Ash");

    const lenient = await startEdge(withWorklists({ responses: "report" }));
    lenient.backend.answer = answering(drifted);
    expect((await ask(lenient, "/worklists/a")).status).toBe(200);
    const told = lenient.events.filter(({ code }) => code === "gateway/schema-report");
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).not.toContain("Ann Ash");
  });

  it("lets in only clients that are registered, where the policy registers clients", async () => {
    const edge = await startEdge((policy) => ({
      ...withWorklists()(policy),
      clients: [{ clientId: "app", scopes: ["patient/Patient.r"] }],
    }));
    edge.backend.answer = answering({ tasks: [] });
    expect((await ask(edge, "/worklists/a", { claims: { client_id: "app" } })).status).toBe(200);
    const stranger = await ask(edge, "/worklists/a", { claims: { client_id: "stranger" } });
    expect([stranger.status, stranger.code]).toEqual([403, "gateway/client-not-listed"]);
  });

  it("asks for the way of signing in that the route names", async () => {
    const edge = await startEdge(withWorklists({ amr: ["mfa"] }));
    edge.backend.answer = answering({ tasks: [] });
    expect((await ask(edge, "/worklists/a", { claims: { amr: ["pwd"] } })).status).toBe(401);
    expect((await ask(edge, "/worklists/a", { claims: { amr: ["mfa"] } })).status).toBe(200);
  });

  it("leaves the FHIR routes beside it as they are", async () => {
    const edge = await startEdge(withWorklists());
    expect((await edge.ask("/Patient/a", { claims: { aud: edge.base.replace(/:\d+/, "") } })).status).toBe(200);
    const nurse = await edge.issuer.token({ aud: "http://127.0.0.1/work", roles: ["nurse"] });
    expect((await edge.ask("/Patient/a", { headers: { authorization: `Bearer ${nurse}` } })).status).toBe(401);
  });
});

describe("a policy whose OpenAPI route would not do what it says", () => {
  const started = async (change: (policy: PolicyDocument) => PolicyDocument): Promise<string> => {
    try {
      await startEdge(change);
      return "started";
    } catch (error) {
      return JSON.stringify((error as { issues?: unknown }).issues);
    }
  };

  it.each<[string, Partial<RoutePolicy>, string]>([
    ["stands in the zone of patients", { zone: "patient" }, "routes[1].zone"],
    ["offers interactions too", { interactions: ["read"] }, "routes[1].interactions"],
    ["has settings that only FHIR routes heed", { redaction: "full" }, "routes[1].redaction"],
  ])("does not start when it %s", async (_what, route, path) => {
    expect(await started(withWorklists({}, route))).toContain(`"path":"${path}","code":"not-fhir"`);
  });

  it("does not start without roles, without its file, or with a document that would not be judged", async () => {
    expect(await started(withWorklists({ roles: [] }))).toContain("routes[1].openApi.roles");
    expect(await started(withWorklists({ file: join(folder, "gone.json") }))).toContain("routes[1].openApi.file");
    const file = join(folder, "remote.yaml");
    await writeFile(file, "openapi: 3.1.0\npaths:\n  /a:\n    $ref: https://example.org/a.yaml\n");
    expect(await started(withWorklists({ file }))).toContain("reference-not-local");
  });

  it("does not start when a condition would be passed over", async () => {
    const condition = { id: "mfa", effect: "require", when: { amr: ["mfa"] } } as const;
    const meant = (on: object) => (policy: PolicyDocument) => ({
      ...withWorklists()(policy),
      conditions: [{ ...condition, ...on }],
    });
    expect(await started(meant({}))).toContain('"path":"conditions[0]","code":"not-fhir"');
    expect(await started(meant({ on: { routes: ["patient"] } }))).toBe("started");
  });

  it("does not start when a FHIR route offers nothing", async () => {
    const nothing = await started((policy) => ({
      ...policy,
      routes: policy.routes.map((route) => ({ ...route, interactions: [] })),
    }));
    expect(nothing).toContain("interactions");
  });
});
