import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { readLedger } from "@wardline/audit-event";
import type { PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import { openFileRevocationList } from "@wardline/smart-auth";
import { listen } from "@wardline-tools/test-kit";
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

  it.each<[string, string, object]>([
    ["a patient by another name than the id", "/consents/revoke", { patient: "Patient/a" }],
    ["a patient with a blank", "/consents/revoke", { patient: "a " }],
    ["a recipient that is spelled otherwise", "/consents/revoke", { patient: "a", organization: "Organization/1" }],
    [
      "a permission whose recipient is spelled otherwise",
      "/consents/permit",
      { patient: "a", category: "substance-use", organization: "Organization/1" },
    ],
    ["a block whose length is spelled otherwise", "/blocks", { kind: "client", name: "app", second: 60 }],
    ["a token that is named in two ways", "/tokens/revoke", { jti: "1", sub: "a" }],
  ])("A12: takes nothing else for what an operator means: %s", async (_what, path, body) => {
    const edge = await start();
    const whole = { ...body, because: "ticket", ...(path === "/tokens/revoke" ? { issuer: edge.issuer.url } : {}) };
    const said = await say(edge, path, { claims: OPERATOR, body: whole });
    expect([said.status, said.body.includes("gateway/admin-body-wrong")]).toEqual([400, true]);
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

  it("F11: a policy that is refused at the last moment leaves the operator the watch, the limits and the inventory in force", async () => {
    const folder = await mkdtemp(join(tmpdir(), "edge-exports-"));
    let policy: PolicyDocument | undefined;
    const edge = await startEdge((given) => {
      policy = { ...given, admin: { port: 0, operators: OPERATORS }, bulkExport: { folder } };
      return policy;
    });
    const { routes, ...rest } = policy as unknown as PolicyDocument;
    const exporting = (path: string): RoutePolicy[] => routes.map((one) => ({ ...one, path, operations: ["export"] }));
    await edge.gateway.reload({ ...rest, routes: exporting("/fhir") });
    await edge.gateway.reload({ ...rest, routes });
    const facts = async (): Promise<object[]> => {
      const said = await Promise.all(["/limits", "/inventory"].map((path) => say(edge, path, { claims: OPERATOR })));
      return said.map(({ body }) => ({ ...(JSON.parse(body) as object), generatedAt: undefined }));
    };
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    const before = await facts();
    const refused = {
      ...rest,
      abuse: { maxCallers: 5000 },
      tiers: { others: { windows: [{ name: "w", limit: 1, windowSeconds: 60, by: "client" }] } },
      routes: exporting("/elsewhere").map((one) => ({ ...one, tier: "others" })),
    } as const;
    await expect(edge.gateway.reload(refused)).rejects.toThrow(/restart/);
    expect(await facts()).toEqual(before);
    const body = { kind: "client", issuer: edge.issuer.url, name: "app", because: "incident 7", seconds: 600 };
    expect((await say(edge, "/blocks", { claims: OPERATOR, body })).status).toBe(201);
    expect((await edge.ask("/Patient/a")).status).toBe(403);
    await rm(folder, { recursive: true });
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

  it.each<[string, (issuer: string) => object]>([
    ["by its id", (issuer) => ({ issuer, jti: "stolen" })],
    ["with all of its subject", (issuer) => ({ issuer, subject: "user-1" })],
  ])("A10: a token taken back %s opens nothing from the next request on, and it is recorded", async (_how, named) => {
    const edge = await start();
    const claims = { jti: "stolen" };
    const authorization = `Bearer ${await edge.issuer.token({ patient: "a", scope: "patient/*.rs", ...claims })}`;
    const ask = async (): Promise<number> => (await edge.ask("/Patient/a", { headers: { authorization } })).status;
    expect(await ask()).toBe(200);
    const body = { ...named(edge.issuer.url), because: "the phone was stolen" };
    expect((await say(edge, "/tokens/revoke", { claims: OPERATOR, body })).status).toBe(200);
    expect(await ask()).toBe(401);
    expect((await edge.ask("/Patient/a", { claims: { sub: "user-2" } })).status).toBe(200);
    await edge.gateway.close();
    const events: unknown[] = [];
    for await (const { event } of readLedger(edge.auditFolder)) events.push(event);
    expect(JSON.stringify(events)).toContain("token-revoked");
    // The next process finds it where this one left it.
    const left = await openFileRevocationList({ file: join(edge.auditFolder, "revocations.ndjson") });
    const token = { issuer: edge.issuer.url, subject: "user-1", tokenId: "stolen", tokenHash: "", issuedAt: 1 };
    expect(await left.isRevoked(token)).toBe(true);
    expect(await left.isRevoked({ ...token, subject: "user-2", tokenId: "other" })).toBe(false);
  });

  it("A10: takes back what a subject was given by an issuer whose clock is ahead", async () => {
    const edge = await startEdge((policy) => ({
      ...policy,
      issuers: policy.issuers.map((one) => ({ ...one, leewaySeconds: 60 })),
      admin: { port: 0, operators: OPERATORS },
    }));
    const iat = Math.floor(Date.now() / 1000) + 50;
    const token = await edge.issuer.token({ patient: "a", scope: "patient/*.rs", iat, exp: iat + 300 });
    const ask = async (): Promise<number> =>
      (await edge.ask("/Patient/a", { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await ask()).toBe(200);
    const body = { issuer: edge.issuer.url, subject: "user-1", because: "the phone was stolen" };
    expect((await say(edge, "/tokens/revoke", { claims: OPERATOR, body })).status).toBe(200);
    expect(await ask()).toBe(401);
  });

  it.each<[string, (issuer: string) => object]>([
    ["nobody's", (issuer) => ({ issuer, because: "x" })],
    ["both a token's and a subject's", (issuer) => ({ issuer, jti: "t", subject: "s", because: "x" })],
    ["of an issuer the policy does not name", () => ({ issuer: "https://other.example", jti: "t", because: "x" })],
    ["without a reason", (issuer) => ({ issuer, jti: "t" })],
  ])("takes back nothing that is %s", async (_what, body) => {
    const edge = await start();
    expect((await say(edge, "/tokens/revoke", { claims: OPERATOR, body: body(edge.issuer.url) })).status).toBe(400);
  });

  it("takes back nothing for somebody who is no operator", async () => {
    const edge = await start();
    const body = { issuer: edge.issuer.url, jti: "t1", because: "x" };
    expect((await say(edge, "/tokens/revoke", { body })).status).toBe(401);
  });
});

describe("A10: whose tokens operate the edge", () => {
  it("those of an issuer that the policy in force names no more operate nothing", async () => {
    let policy: PolicyDocument | undefined;
    const edge = await startEdge((given) => {
      policy = { ...given, admin: { port: 0, operators: OPERATORS } };
      return policy;
    });
    const running = policy as unknown as PolicyDocument;
    expect((await say(edge, "/policy", { claims: OPERATOR })).status).toBe(200);
    const issuers = running.issuers.map((issuer) => ({ ...issuer, issuer: "http://127.0.0.1:1" }));
    await edge.gateway.reload({ ...running, issuers });
    expect((await edge.ask("/Patient/a")).status).toBe(401);
    expect((await say(edge, "/policy", { claims: OPERATOR })).status).toBe(401);
    const body = { patient: "a", because: "x" };
    expect((await say(edge, "/consents/revoke", { claims: OPERATOR, body })).status).toBe(401);
    await edge.gateway.reload(running);
    expect((await say(edge, "/policy", { claims: OPERATOR })).status).toBe(200);
  });

  it("those that their issuer took back operate nothing, where it is asked about every token", async () => {
    let isActive = true;
    const now = Math.floor(Date.now() / 1000);
    const about = { client_id: "console", iat: now, exp: now + 60, ...OPERATOR };
    const endpoint = await listen((_req: IncomingMessage, res: ServerResponse) => {
      res.setHeader("Content-Type", "application/json");
      res.end(JSON.stringify(isActive ? { active: true, ...about } : { active: false }));
    });
    const introspection = {
      endpoint: `${endpoint}/introspect`,
      clientId: "edge",
      authentication: { method: "client_secret_basic" as const, secret: "env:PATH" },
      positiveTtlSeconds: 0,
      always: true,
    };
    const edge = await startEdge((policy) => ({
      ...policy,
      admin: { port: 0, operators: OPERATORS },
      issuers: policy.issuers.map((issuer) => ({ ...issuer, introspection })),
    }));
    expect((await say(edge, "/policy", { claims: OPERATOR })).status).toBe(200);
    isActive = false;
    expect((await say(edge, "/policy", { claims: OPERATOR })).status).toBe(401);
  });
});

describe("the console", () => {
  it("is a page that holds nothing, with nothing inline, and may load its own files only", async () => {
    const edge = await start();
    const page = await fetch(`http://127.0.0.1:${edge.adminPort}/console`);
    const text = await page.text();
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    const csp = page.headers.get("content-security-policy");
    expect(csp).toContain("default-src 'none'; script-src 'self'");
    expect(csp).not.toContain("unsafe");
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=/);
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = ""]) => file);
    expect(files).toEqual(["/console.css", "/console.js"]);
    for (const file of files) expect((await say(edge, file)).status).toBe(200);
    expect(text).not.toContain(edge.gateway.policyVersion);
  });

  it("asks for what an operator can see, and shows it as text", async () => {
    const edge = await start();
    const page = (await say(edge, "/console")).body;
    const asked = [...page.matchAll(/data-from="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(asked).toEqual(["/policy", "/readyz", "/limits", "/blocks", "/audit/head"]);
    for (const path of asked) expect((await say(edge, path, { claims: OPERATOR })).status).toBe(200);
    const script = (await say(edge, "/console.js")).body;
    expect(() => new Script(script)).not.toThrow();
    expect(script).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval|localStorage|sessionStorage/);
  });

  it("is not there without operators", async () => {
    const edge = await startEdge((policy) => ({ ...policy, admin: { port: 0 } }));
    expect((await say(edge, "/console")).status).toBe(404);
  });
});
