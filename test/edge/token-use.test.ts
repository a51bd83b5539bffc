import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import type { PolicyDocument, RoutePolicy } from "@wardline/policy-types";
import { describeWithRedis, startRedis, testCa } from "@wardline-tools/test-kit";
import { afterEach, describe, expect, it } from "vitest";
import { fhir, type Json } from "./support/backend.ts";
import { type Answered, codeOf, type Edge, startEdge } from "./support/edge.ts";

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const withRoute =
  (more: Partial<RoutePolicy>, policyMore: Partial<PolicyDocument> = {}) =>
  (policy: PolicyDocument): PolicyDocument => ({
    ...policy,
    ...policyMore,
    routes: policy.routes.map((route) => ({ ...route, ...more })),
  });

describe("bindToFirstHolder", () => {
  const TERMINATOR: Partial<PolicyDocument> = {
    trustedProxies: ["127.0.0.1/32"],
    clientCertificateHeader: { format: "rfc9440" },
  };
  const shown = async (name: string): Promise<Record<string, string>> => {
    const { cert } = await (await testCa()).issue({ name, use: "client" });
    return { "x-forwarded-proto": "https", "client-cert": `:${new X509Certificate(cert).raw.toString("base64")}:` };
  };
  const ask = (edge: Edge, token: string, headers: Record<string, string>): Promise<Answered> =>
    edge.ask("/Patient/a", { headers: { ...headers, authorization: `Bearer ${token}` } });
  const tokenOf = (edge: Edge) => edge.issuer.token({ patient: "a", scope: "patient/*.rs" });

  it("S3: a token counts for the certificate that used it first, and for no other", async () => {
    const edge = await startEdge(withRoute({ bindToFirstHolder: true }, TERMINATOR));
    const [token, one, other] = [await tokenOf(edge), await shown("one"), await shown("other")];
    const statuses = [];
    for (const headers of [one, one, other, {}, one]) statuses.push((await ask(edge, token, headers)).status);
    expect(statuses).toEqual([200, 200, 401, 401, 200]);
  });

  it("asks nothing where the policy does not say so", async () => {
    const edge = await startEdge(withRoute({}, TERMINATOR));
    const [token, one] = [await tokenOf(edge), await shown("one")];
    expect([(await ask(edge, token, one)).status, (await ask(edge, token, {})).status]).toEqual([200, 200]);
  });

  describeWithRedis("over Redis", () => {
    it("S3: instances know of each other's holders, and without Redis nobody is let in", async () => {
      const redis = await startRedis();
      ended.push(() => redis.kill());
      const more = { ...TERMINATOR, redis: { url: redis.url, replicas: 2 } };
      const first = await startEdge(withRoute({ bindToFirstHolder: true }, more));
      const second = await startEdge((policy) =>
        withRoute(
          { bindToFirstHolder: true },
          {
            ...more,
            issuers: policy.issuers.map((issuer) => ({
              ...issuer,
              issuer: first.issuer.url,
              jwksUri: first.issuer.jwksUri,
            })),
          },
        )(policy),
      );
      for (const edge of [first, second]) {
        await expect.poll(() => edge.events.map(({ code }) => code)).toContain("gateway/redis-up");
      }
      const [token, one, other] = [await tokenOf(first), await shown("one"), await shown("other")];
      expect((await ask(first, token, one)).status).toBe(200);
      expect((await ask(second, token, other)).status).toBe(401);
      expect((await ask(second, token, one)).status).toBe(200);
      const fresh = await tokenOf(first);
      redis.freeze();
      expect((await ask(first, fresh, one)).status).toBe(503);
    });
  });
});

describe("introspection by client certificate", () => {
  /** An authorisation server that answers whoever shows a certificate of the CA. */
  async function startEndpoint(claims: () => object) {
    const [ca, folder] = [await testCa(), await mkdtemp(join(tmpdir(), "edge-introspection-"))];
    const [own, edge, stranger] = [
      await ca.issue({ name: "server", ip: ["127.0.0.1"] }),
      await ca.issue({ name: "edge", use: "client" }),
      await (await testCa("Nobody's CA")).issue({ name: "edge", use: "client" }),
    ];
    const callers: (string | undefined)[] = [];
    const server = createServer(
      { key: own.key, cert: own.cert, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
      (req, res) => {
        callers.push((req.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString());
        req.resume();
        res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ active: true, ...claims() }));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ended.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => rm(folder, { recursive: true, force: true }),
    );
    const place = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const authentication = async ({ cert, key }: { cert: string; key: string }) => ({
      method: "tls_client_auth" as const,
      cert: await place("edge.pem", cert),
      key: `file:${await place("edge.key", key)}`,
      ca: [await place("ca.pem", ca.cert)],
    });
    const { port } = server.address() as AddressInfo;
    return { url: `https://127.0.0.1:${port}/introspect`, callers, edge, stranger, authentication };
  }

  it.each([
    ["RFC 8705: asks with the certificate of the policy", "edge", 200, ["edge"]],
    ["F8: is refused when the server does not take the certificate", "stranger", 503, []],
  ] as const)("%s", async (_what, who, status, callers) => {
    let claims: object = {};
    const endpoint = await startEndpoint(() => claims);
    const authentication = await endpoint.authentication(endpoint[who]);
    const edge = await startEdge((policy) => ({
      ...policy,
      issuers: policy.issuers.map((issuer) => ({
        ...issuer,
        introspection: { endpoint: endpoint.url, clientId: "edge", authentication },
      })),
    }));
    const now = Math.floor(Date.now() / 1000);
    const about = { iss: edge.issuer.url, aud: "http://127.0.0.1/fhir", iat: now, exp: now + 60 };
    claims = { ...about, sub: "user-1", client_id: "app", patient: "a", scope: "patient/*.rs", token_type: "Bearer" };
    const answer = await edge.ask("/Patient/a", { headers: { authorization: "Bearer opaque-token" } });
    expect([answer.status, endpoint.callers]).toEqual([status, callers]);
  });

  it("F11: a certificate that cannot be read stops the start, and is named", async () => {
    const introspection = {
      endpoint: "https://127.0.0.1:1/introspect",
      clientId: "edge",
      authentication: { method: "tls_client_auth" as const, cert: "/nowhere/edge.pem", key: "file:/nowhere/edge.key" },
    };
    const started = startEdge((policy) => ({
      ...policy,
      issuers: policy.issuers.map((issuer) => ({ ...issuer, introspection })),
    }));
    await expect(started).rejects.toThrow("issuers[0].introspection.authentication.cert");
  });
});

describe("memberOperations", () => {
  const claim = (patient: string): Json => ({
    resourceType: "Claim",
    status: "active",
    type: { text: "professional" },
    use: "preauthorization",
    patient: { reference: `Patient/${patient}` },
    created: "2026-11-01",
    provider: { display: "Clinic" },
    priority: { text: "normal" },
    insurance: [{ sequence: 1, focal: true, coverage: { display: "Plan" } }],
  });
  const response = (patient: string): Json => ({
    resourceType: "ClaimResponse",
    id: "r1",
    status: "active",
    type: { text: "professional" },
    use: "preauthorization",
    patient: { reference: `Patient/${patient}` },
    created: "2026-11-01",
    insurer: { display: "Plan" },
    outcome: "complete",
  });
  const submit = (edge: Edge, body: Json): Promise<Answered> =>
    edge.ask("/Claim/$submit", {
      method: "POST",
      headers: { "content-type": "application/fhir+json" },
      body: JSON.stringify(body),
      claims: { scope: "patient/Claim.crs patient/ClaimResponse.r" },
    });

  it("A7: Da Vinci PAS: a member's app submits the member's Claim, and no other's", async () => {
    const edge = await startEdge(withRoute({ operations: ["submit"], memberOperations: { submit: "c" } }));
    let decidedFor = "a";
    const { answer } = edge.backend;
    edge.backend.answer = (req, res, body) =>
      req.url?.endsWith("$submit") ? fhir(res, response(decidedFor)) : answer(req, res, body);
    const own = await submit(edge, claim("a"));
    expect([own.status, own.json]).toEqual([200, response("a")]);
    expect(edge.backend.asked).toEqual(["POST /r4/Claim/$submit"]);

    const others = await submit(edge, claim("b"));
    expect([others.status, codeOf(others.json)]).toEqual([403, "smart-auth/resource-not-covered"]);
    expect(edge.backend.asked).toHaveLength(1);

    decidedFor = "b";
    const leaked = await submit(edge, claim("a"));
    expect([leaked.status, codeOf(leaked.json)]).toEqual([404, "smart-auth/not-found"]);
    expect(edge.records.map(({ patients }) => patients)).toEqual([["a"], [], ["a"]]);
  });

  it("A7: without the key a member submits nothing", async () => {
    const edge = await startEdge(withRoute({ operations: ["submit"] }));
    expect(codeOf((await submit(edge, claim("a"))).json)).toBe("smart-auth/search-refused");
    expect(edge.backend.asked).toEqual([]);
  });
});
