import { describe, expect, it } from "vitest";
import { type Edge, startEdge } from "./support/edge.ts";

const AUDIENCE = "http://127.0.0.1/admin";
const OPERATORS = { audience: AUDIENCE, roles: ["edge-operator"] };

async function start(): Promise<Edge> {
  return startEdge((policy) => ({ ...policy, admin: { port: 0, operators: OPERATORS }, consent: {} }));
}

interface Said {
  readonly status: number;
  readonly body: string;
}

async function say(
  edge: Edge,
  path: string,
  {
    claims,
    body,
    method = body === undefined ? "GET" : "POST",
  }: { claims?: object | undefined; body?: object; method?: string } = {},
): Promise<Said> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (claims !== undefined) headers["Authorization"] = `Bearer ${await edge.issuer.token({ ...claims })}`;
  const answer = await fetch(`http://127.0.0.1:${edge.adminPort}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.text() };
}

const OPERATOR = { aud: AUDIENCE, sub: "olga", roles: ["edge-operator"], amr: ["pwd", "mfa"] };

describe("the operator's listener", () => {
  it.each(["/healthz", "/readyz", "/metrics"])("%s is open, and holds no PHI", async (path) => {
    const edge = await start();
    await edge.ask("/Patient/a");
    const said = await say(edge, path);
    expect(said.status).toBe(200);
    expect(said.body).not.toMatch(/Patient\/a|user-1/);
  });

  it("counts what passed, and what it is itself", async () => {
    const edge = await start();
    await edge.ask("/Patient/a");
    const { body } = await say(edge, "/metrics");
    expect(body).toMatch(/wardline_request_duration_seconds_count\{[^}]*zone="patient"[^}]*\} 1/);
    expect(body).toContain(`wardline_policy_info{version="${edge.gateway.policyVersion}"} 1`);
    expect(body).toContain('wardline_upstream_up{upstream="ehr"} 1');
  });

  it.each<[string, object | undefined, number]>([
    ["nobody", undefined, 401],
    ["a token for the FHIR API", { patient: "a", scope: "patient/*.rs" }, 401],
    ["somebody without the role", { ...OPERATOR, roles: ["nurse"] }, 403],
    ["an operator without a second factor", { ...OPERATOR, amr: ["pwd"] }, 401],
  ])("refuses %s", async (_who, claims, status) => {
    const edge = await start();
    for (const path of ["/policy", "/blocks", "/inventory", "/limits", "/audit/head"]) {
      expect((await say(edge, path, { claims })).status).toBe(status);
    }
    const change = await say(edge, "/consents/revoke", { claims, body: { patient: "a", because: "asked" } });
    expect(change.status).toBe(status);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
  });

  it("without operators there is nothing but health and metrics", async () => {
    const edge = await startEdge((policy) => ({ ...policy, admin: { port: 0 } }));
    expect((await say(edge, "/policy", { claims: OPERATOR })).status).toBe(404);
  });

  it.each(["/policy", "/limits", "/inventory", "/audit/head", "/blocks"])("shows an operator %s", async (path) => {
    const edge = await start();
    await edge.ask("/Patient/a");
    const said = await say(edge, path, { claims: OPERATOR });
    expect(said.status).toBe(200);
    expect(said.body).not.toContain("Patient/a");
  });

  it("A10: a consent revoked here is honoured by the next request, and recorded", async () => {
    const edge = await start();
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    const body = { patient: "a", client: "app", because: "the patient asked at the desk" };
    expect((await say(edge, "/consents/revoke", { claims: OPERATOR, body })).status).toBe(200);
    expect((await edge.ask("/Patient/a")).status).not.toBe(200);
    expect((await say(edge, "/consents/restore", { claims: OPERATOR, body })).status).toBe(200);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
  });

  it("blocks a client until it is lifted", async () => {
    const edge = await start();
    const blocked = await say(edge, "/blocks", {
      claims: OPERATOR,
      body: { kind: "client", issuer: edge.issuer.url, name: "app", because: "incident 7", seconds: 600 },
    });
    expect(blocked.status).toBe(201);
    expect((await edge.ask("/Patient/a")).status).toBe(403);
    const { measures } = JSON.parse((await say(edge, "/blocks", { claims: OPERATOR })).body) as {
      measures: { id: string }[];
    };
    const lift = await say(edge, `/blocks/${encodeURIComponent(measures[0]?.id ?? "")}/lift`, {
      claims: OPERATOR,
      body: { because: "over" },
    });
    expect(lift.status).toBe(200);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
  });

  it.each<[string, object]>([
    ["no reason", { kind: "client", name: "app" }],
    ["an unknown kind", { kind: "planet", name: "app", because: "x" }],
    ["no whole seconds", { kind: "client", name: "app", because: "x", seconds: "soon" }],
    ["more than texts", { kind: "client", name: ["app"], because: "x" }],
  ])("refuses a block with %s", async (_what, body) => {
    const edge = await start();
    expect((await say(edge, "/blocks", { claims: OPERATOR, body })).status).toBe(400);
  });
});
