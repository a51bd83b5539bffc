import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument, SignInPolicy } from "@wardline/policy-types";
import { ask as askRaw, describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AuthorizationServer,
  PASSWORD,
  REDIRECT,
  startAuthorizationServer,
} from "./support/authorization-server.ts";
import { type Edge, startEdge } from "./support/edge.ts";

const ORIGIN = "http://127.0.0.1";
const ISSUER = `${ORIGIN}/oauth`;
const RESOURCE = `${ORIGIN}/fhir`;
const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

let server: AuthorizationServer;
let folder: string;
beforeEach(async () => {
  [server, folder] = await Promise.all([
    startAuthorizationServer({ issuer: ISSUER, path: "/oauth", resource: RESOURCE }),
    mkdtemp(join(tmpdir(), "sign-in-")),
  ]);
  await writeFile(join(folder, "backend.json"), JSON.stringify({ keys: [server.jwk] }));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const withSignIn =
  (change: Partial<SignInPolicy> = {}, more: Partial<PolicyDocument> = {}) =>
  (policy: PolicyDocument): PolicyDocument => ({
    ...policy,
    issuers: [{ issuer: ISSUER, jwksUri: `${server.origin}/oauth/jwks`, audience: [RESOURCE] }],
    upstreams: {
      ...policy.upstreams,
      identity: { url: `${server.origin}/oauth`, headersTimeoutMs: 1000, bodyTimeoutMs: 1000 },
    },
    signIn: {
      upstream: "identity",
      path: "/oauth",
      endpoints: { token: "/token", authorization: "/auth", jwks: "/jwks" },
      pages: ["/interaction/*", "/auth/*"],
      clients: [{ clientId: "backend", jwks: join(folder, "backend.json") }],
      ...change,
    },
    ...more,
  });

/** Where the edge listens, for an address as clients are told it. */
const at = (edge: Edge, url: string): string => new URL(edge.base).origin + url.slice(new URL(url).origin.length);

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly error: string | undefined;
}

async function ask(edge: Edge, path: string, init: RequestInit = {}): Promise<Got> {
  const response = await fetch(at(edge, `${ORIGIN}${path}`), { redirect: "manual", ...init });
  const text = await response.text();
  const json = (text.startsWith("{") ? JSON.parse(text) : {}) as { error?: string };
  return { status: response.status, headers: response.headers, text, error: json.error };
}
const post = (edge: Edge, form: Record<string, string>, headers: Record<string, string> = {}) =>
  ask(edge, "/oauth/token", { method: "POST", body: new URLSearchParams(form), headers });

const asserting = async (claims: Readonly<Record<string, unknown>> = {}): Promise<Record<string, string>> => ({
  grant_type: "client_credentials",
  resource: RESOURCE,
  scope: "system/*.rs",
  client_id: "backend",
  client_assertion_type: TYPE,
  client_assertion: await new SignJWT({ jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: "ES384", kid: "backend", typ: "JWT" })
    .setIssuer("backend")
    .setSubject("backend")
    .setAudience(`${ISSUER}/token`)
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(server.key),
});

const PEM = encodeURIComponent("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n");

/** As random as a session can be. */
const COOKIE = "session=a..%2Fb--; csrf='or 1=1'";

const verifier = randomBytes(32).toString("base64url");
const AUTHORIZE = {
  client_id: "app",
  response_type: "code",
  redirect_uri: REDIRECT,
  scope: "openid patient/*.rs",
  resource: RESOURCE,
  code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  code_challenge_method: "S256",
};
const authorize = (edge: Edge, change: Record<string, string | undefined> = {}) => {
  const given = Object.entries({ ...AUTHORIZE, ...change }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return ask(edge, `/oauth/auth?${new URLSearchParams(given).toString()}`);
};

/** A browser: it keeps cookies by their path, follows redirects within the edge, and types the password. */
async function browse(edge: Edge, passwords: readonly string[]): Promise<{ url: string; pages: Got[] }> {
  const cookies = new Map<string, { value: string; path: string }>();
  const pages: Got[] = [];
  let path = `/oauth/auth?${new URLSearchParams(AUTHORIZE).toString()}`;
  const typed = [...passwords];
  for (let hop = 0; hop < 12; hop++) {
    const sent = [...cookies].filter(([, { path: at }]) => path.split("?", 1)[0]?.startsWith(at));
    const cookie = sent.map(([name, { value }]) => `${name}=${value}`).join("; ");
    const last = pages.at(-1);
    const isForm = last !== undefined && [200, 401].includes(last.status);
    const got = await ask(edge, path, {
      headers: { cookie },
      ...(isForm ? { method: "POST", body: new URLSearchParams({ password: typed.shift() ?? "" }) } : {}),
    });
    pages.push(got);
    for (const line of got.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, { value, path: /path=([^;]+)/i.exec(line)?.[1] ?? "/" });
    }
    const location = got.headers.get("location");
    if (location?.startsWith(REDIRECT) === true) return { url: location, pages };
    if (location !== null) path = location.replace(/^https?:\/\/[^/]+/, "");
  }
  throw new Error(`the browser did not come back to the app: ${pages.map(({ status }) => status).join(" ")}`);
}

describe("an authorisation server behind the edge", () => {
  it("signs a user in by the code flow with PKCE, and the token then opens the patient's own record", async () => {
    const edge = await startEdge(withSignIn());
    const { url, pages } = await browse(edge, ["wrong", PASSWORD]);
    expect(pages.map(({ status }) => status)).toEqual([303, 200, 401, 303, 303, 303, 303]);
    expect(pages[1]?.headers.get("content-security-policy")).toBe("default-src 'self'; form-action 'self'");
    expect(pages.every(({ headers }) => headers.get("cache-control") === "no-store")).toBe(true);
    const form = { grant_type: "authorization_code", client_id: "app", redirect_uri: REDIRECT, resource: RESOURCE };
    const code = new URL(url).searchParams.get("code") ?? "";
    const given = await post(edge, { ...form, code, code_verifier: verifier });
    expect(given.status).toBe(200);
    const { access_token: token } = JSON.parse(given.text) as { access_token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await edge.ask("/Patient/a", { headers })).status).toBe(200);
    expect((await edge.ask("/Patient/b", { headers })).status).toBe(404);
  });

  it("gives a backend service its token for an assertion, once", async () => {
    const edge = await startEdge(withSignIn());
    const form = await asserting();
    const given = await post(edge, form);
    expect(given.status).toBe(200);
    const { access_token: token } = JSON.parse(given.text) as { access_token: string };
    expect((await edge.ask("/Patient/b", { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    const asked = server.asked.length;
    const again = await post(edge, form);
    expect([again.status, again.error]).toEqual([401, "invalid_client"]);
    expect(server.asked.length).toBe(asked);
  });

  it("gets what was sent, byte for byte, and who sent it from this edge alone", async () => {
    const edge = await startEdge(withSignIn({}, { trustedProxies: ["127.0.0.1/32"] }));
    server.answer = (_req, res) => void res.writeHead(400, { "content-type": "application/json" }).end("{}");
    const body = "grant_type=refresh_token&client_id=app&refresh_token=a%2Bb+c&scope=";
    const forged = {
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      "x-forwarded-for": "203.0.113.9",
      "client-cert": ":AAAA:",
      forwarded: "host=evil.example",
    };
    await ask(edge, "/oauth/token", {
      method: "POST",
      body,
      headers: { "content-type": "application/x-www-form-urlencoded", ...forged, dpop: "proof", cookie: COOKIE },
    });
    expect(server.bodies).toEqual([body]);
    const { headers } = server;
    expect(headers[0]).toMatchObject({
      "x-forwarded-host": "127.0.0.1",
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "http",
      dpop: "proof",
      cookie: COOKIE,
    });
    expect(headers[0]).not.toHaveProperty("client-cert");
    expect(headers[0]).not.toHaveProperty("forwarded");
  });

  it.each([
    ["", { clientCertificateHeader: { format: "rfc9440" } }, "client-cert", ":AQID:"],
    [" in its own form", { clientCertificateHeader: { format: "nginx" } }, "x-ssl-client-cert", PEM],
  ] as const)(
    "RFC 9440: hears of the certificate that a terminator reports%s, and of no other",
    async (_how, header, name, value) => {
      const heard = async (trusted: string): Promise<unknown> => {
        const edge = await startEdge(withSignIn({}, { ...header, trustedProxies: [trusted] }));
        server.answer = (_req, res) => void res.writeHead(400, { "content-type": "application/json" }).end("{}");
        server.headers.length = 0;
        await post(
          edge,
          { grant_type: "refresh_token", client_id: "app" },
          { [name]: value, "x-forwarded-proto": "https" },
        );
        return [server.headers.length, server.headers[0]?.["client-cert"]];
      };
      expect(await heard("127.0.0.1/32")).toEqual([1, ":AQID:"]);
      expect(await heard("192.0.2.1/32")).toEqual([expect.any(Number), undefined]);
    },
  );

  it("does not lead clients around the edge when it does not know its public name", async () => {
    const edge = await startEdge(withSignIn());
    server.answer = (_req, res) => void res.writeHead(303, { location: `${server.origin}/oauth/interaction/1` }).end();
    expect((await authorize(edge)).headers.get("location")).toBe(`${ORIGIN}/oauth/interaction/1`);
  });

  describe("RFC 9700: is not asked", () => {
    const challenge = { code_challenge: undefined, code_challenge_method: undefined };
    it.each<[string, Record<string, string | undefined>, string]>([
      ["for the implicit grant", { response_type: "token" }, "unsupported_response_type"],
      ["for a hybrid", { response_type: "code id_token" }, "unsupported_response_type"],
      ["for a code without PKCE", challenge, "invalid_request"],
      ["for plain PKCE", { code_challenge_method: "plain" }, "invalid_request"],
      ["by a request object", { request: "e30.e30." }, "request_not_supported"],
    ])("%s", async (_what, change, error) => {
      const edge = await startEdge(withSignIn());
      const got = await authorize(edge, change);
      expect([got.status, got.error]).toEqual([400, error]);
      expect(got.headers.get("content-type")).toContain("application/json");
      expect(edge.records.at(-1)?.problem).toBe("smart-auth/grant-refused");
      expect(server.asked).toEqual([]);
    });

    it.each<[string, Record<string, string>, number, string]>([
      ["for a password", { grant_type: "password", username: "u", password: PASSWORD }, 400, "unsupported_grant_type"],
      ["for a code without its verifier", { grant_type: "authorization_code", code: "c" }, 400, "invalid_request"],
      ["by a client that asks for itself without keys", { grant_type: "client_credentials" }, 401, "invalid_client"],
      ["by a client with keys that comes without them", { grant_type: "refresh_token" }, 401, "invalid_client"],
    ])("%s", async (_what, form, status, error) => {
      const edge = await startEdge(withSignIn());
      const clientId = form["grant_type"] === "refresh_token" ? "backend" : "app";
      const got = await post(edge, { client_id: clientId, ...form });
      expect([got.status, got.error]).toEqual([status, error]);
      expect(server.asked).toEqual([]);
      expect(edge.records.at(-1)).toMatchObject({ signIn: { endpoint: "token", clientId }, apiType: "sign-in" });
    });

    it("for a token by GET, with its parameters in the URL, or as JSON", async () => {
      const edge = await startEdge(withSignIn());
      const got = await ask(edge, "/oauth/token");
      expect([got.status, got.error, got.headers.get("allow")]).toEqual([405, "invalid_request", "POST"]);
      const inUrl = await ask(edge, "/oauth/token?client_secret=s", { method: "POST", body: new URLSearchParams() });
      expect([inUrl.status, inUrl.error]).toEqual([400, "invalid_request"]);
      const json = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
      expect((await ask(edge, "/oauth/token", json)).status).toBe(400);
      expect(server.asked).toEqual([]);
    });

    it.each([true, false])(
      "S9: by a form that is too long, whose end would be read as all of it (chunked: %s)",
      async (chunked) => {
        const edge = await startEdge(withSignIn());
        const long = `padding=${"x".repeat(70_000)}&grant_type=authorization_code&client_id=app&code=c&code_verifier=${verifier}`;
        const body = chunked ? new Blob([long]).stream() : long;
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        const init = { method: "POST", body, headers, duplex: "half" } as RequestInit;
        const got = await ask(edge, "/oauth/token", init);
        expect([got.status, got.error]).toEqual([413, "invalid_request"]);
        expect(server.asked).toEqual([]);
      },
    );

    it("S6: by another spelling of a path, nor by one the policy does not name", async () => {
      const edge = await startEdge(withSignIn({ pages: ["/interaction/*", "/auth/*", "/a/*"] }));
      const form = { method: "POST", body: new URLSearchParams({ grant_type: "password" }) };
      for (const path of [
        "/token/",
        "/TOKEN",
        "/%74oken",
        "/token;a",
        "/./token",
        "//token",
        "/a/../token",
        "/a/..%2ftoken",
      ]) {
        const { status } = await ask(edge, `/oauth${path}`, form);
        expect([400, 404], path).toContain(status);
      }
      for (const path of ["/auth/", "/Auth", "/register", "/interaction", "/interaction/", "/a", "", "/"]) {
        expect((await ask(edge, `/oauth${path}`)).status, path).toBe(404);
      }
      expect(server.asked).toEqual([]);
    });
  });

  it.each([
    "/a/../token",
    "/a/%2e%2e/token",
    "/a/.%2E/token",
    "/a/..;/token",
    "/a/;/../token",
    "/a//../../oauth/token",
    "/a/%252e%252e/token",
    "/a/..%5ctoken",
    "/a\\..\\token",
    "/a/x%2f..%2f..%2ftoken",
    "/a/../token#/a/",
    "/a/../token?x=/a/",
  ])("S6: nobody walks from a page to the token endpoint: %s", async (path) => {
    const edge = await startEdge(withSignIn({ pages: ["/a/*"] }));
    const body = "grant_type=refresh_token&client_id=backend&refresh_token=x";
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status } = await askRaw(new URL(edge.base).origin, {
      method: "POST",
      target: `/oauth${path}`,
      headers,
      body,
    });
    expect([400, 404]).toContain(status);
    expect(server.asked).toEqual([]);
  });

  it("F5, F12: that is away, hangs or breaks off is a temporary error, and then left alone", async () => {
    const edge = await startEdge((policy) => {
      const { upstreams, ...rest } = withSignIn()(policy);
      const identity = { url: `${server.origin}/oauth`, headersTimeoutMs: 300, breaker: { minimumCalls: 4 } };
      return { ...rest, upstreams: { ...upstreams, identity } };
    });
    const asOf = async (): Promise<unknown[]> => {
      const { status, error } = await post(edge, { grant_type: "refresh_token", client_id: "app" });
      return [status, error];
    };
    server.answer = (_req, res) => void res.writeHead(200, { "content-length": "50" }).write("{", () => res.destroy());
    expect(await asOf()).toEqual([502, "temporarily_unavailable"]);
    server.answer = () => undefined;
    expect(await asOf()).toEqual([504, "temporarily_unavailable"]);
    await server.stop();
    expect(await asOf()).toEqual([502, "temporarily_unavailable"]);
    await expect.poll(asOf).toEqual([503, "temporarily_unavailable"]);
    expect((await edge.ask("/Patient/a")).status).toBe(401);
  });

  it("limits guesses by address before anything is verified, and proved clients by themselves", async () => {
    const tiers = {
      guesses: {
        windows: [
          { name: "by-address", limit: 5, windowSeconds: 3600, by: "address" },
          { name: "by-client", limit: 2, windowSeconds: 3600, by: "client" },
        ],
      },
    } as const;
    const edge = await startEdge((policy) =>
      withSignIn({ tier: "guesses" }, { tiers: { ...policy.tiers, ...tiers } })(policy),
    );
    const outcomes: unknown[] = [];
    for (let turn = 0; turn < 3; turn++) outcomes.push((await post(edge, await asserting())).status);
    for (let turn = 0; turn < 2; turn++) outcomes.push((await post(edge, { grant_type: "password" })).status);
    const limited = await post(edge, { grant_type: "password" });
    expect(outcomes).toEqual([200, 200, 429, 400, 400]);
    expect([limited.status, limited.error]).toEqual([429, "temporarily_unavailable"]);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ask(edge, "/oauth/jwks")).status).toBe(200);
  });

  it("A15, A14: each request is an authentication in the ledger, and no secret is", async () => {
    const edge = await startEdge(withSignIn());
    const form = await asserting();
    await post(edge, form);
    await post(edge, { ...form, grant_type: "password", username: "dr.who", password: PASSWORD });
    await post(edge, { ...form, client_assertion: `${form["client_assertion"]}x` });
    await authorize(edge, { state: "opaque-state" });
    const files = await readdir(edge.auditFolder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), "utf8"));
    const ledger = (await Promise.all(texts)).join("\n");
    const events = ledger.split("\n").filter((line) => line.includes('"110114"'));
    expect(events.length).toBe(4);
    expect(events.filter((line) => line.includes("login-failed")).length).toBe(2);
    expect(events.filter((line) => line.includes('"valueString":"proved"')).length).toBe(1);
    expect(events.filter((line) => line.includes('"value":"backend"')).length).toBe(3);
    const secrets = [form["client_assertion"] ?? "", PASSWORD, "dr.who", "opaque-state", AUTHORIZE.code_challenge];
    for (const secret of secrets) expect(ledger).not.toContain(secret);
  });

  it("tells of credentials that fail again and again, and blocks whom the policy says", async () => {
    const abuse = {
      thresholds: { credentialStuffing: { addressFailures: 5 } },
      responses: { "credential-stuffing": { action: "block", from: "low" } },
    } as const;
    const edge = await startEdge(withSignIn({}, { abuse }));
    const guess = () =>
      post(edge, {
        grant_type: "authorization_code",
        client_id: "app",
        redirect_uri: REDIRECT,
        code: "c",
        code_verifier: verifier,
      });
    for (let turn = 0; turn < 5; turn++) expect((await guess()).error).toBe("invalid_grant");
    await expect.poll(async () => (await guess()).status).toBe(403);
    expect(edge.events.filter(({ code }) => code === "gateway/abuse").length).toBe(1);
    const basic = { authorization: `Basic ${Buffer.from("app:x").toString("base64")}` };
    expect((await post(edge, { grant_type: "refresh_token" }, basic)).status).toBe(403);
  });

  it("RFC 8414, SMART 2.2: is found by its public endpoints, and offers nothing that is refused", async () => {
    const smart = {
      tokenEndpoint: `${ISSUER}/token`,
      authorizationEndpoint: `${ISSUER}/auth`,
      capabilities: ["launch-standalone", "client-confidential-asymmetric"],
      scopesSupported: ["patient/*.rs"],
    };
    const edge = await startEdge((policy) => {
      const whole = withSignIn()(policy);
      return { ...whole, issuers: whole.issuers.map((issuer) => ({ ...issuer, smart })) };
    });
    const found = await ask(edge, "/.well-known/oauth-authorization-server/oauth");
    expect(JSON.parse(found.text)).toEqual({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/auth`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
      scopes_supported: ["patient/*.rs"],
      token_endpoint_auth_signing_alg_values_supported: ["RS384", "ES384"],
      protected_resources: [RESOURCE],
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
      code_challenge_methods_supported: ["S256"],
    });
    expect(found.headers.get("cache-control")).toBe("public, max-age=300");
    const configuration = await ask(edge, "/fhir/.well-known/smart-configuration");
    expect(JSON.parse(configuration.text)).toMatchObject({
      token_endpoint: `${ISSUER}/token`,
      token_endpoint_auth_signing_alg_values_supported: ["RS384", "ES384"],
    });
    const keys = JSON.parse((await ask(edge, "/oauth/jwks")).text) as { keys: { kid: string }[] };
    expect(keys.keys.map(({ kid }) => kid)).toEqual(["tokens"]);
  });
});

describeWithRedis("two edges before one authorisation server", () => {
  it("S3: take an assertion once between them, and none while Redis does not answer", async () => {
    const redis = await startRedis();
    const shared = withSignIn({}, { redis: { url: redis.url, replicas: 2 } });
    const [first, second] = await Promise.all([startEdge(shared), startEdge(shared)]);
    for (const edge of [first, second]) {
      await expect.poll(() => edge.events.map(({ code }) => code)).toContain("gateway/redis-up");
    }
    // On a busy machine Redis may miss a deadline, and an assertion is then neither taken nor remembered.
    let form = await asserting();
    await expect
      .poll(async () => {
        form = await asserting();
        return (await post(first, form)).status;
      })
      .toBe(200);
    await expect.poll(async () => (await post(second, form)).error).toBe("invalid_client");
    redis.freeze();
    const unanswered = await post(second, await asserting());
    expect([unanswered.status, unanswered.error]).toEqual([503, "temporarily_unavailable"]);
    redis.thaw();
  });
});
