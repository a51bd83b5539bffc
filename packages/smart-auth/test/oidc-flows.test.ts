import { createHash, randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { memoryAdapter, Provider } from "@wardline-tools/test-kit/oidc-provider";
import { exportJWK, SignJWT } from "jose";
import type { Configuration } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SmartAuthOptions } from "../src/index.ts";
import { smartAuth } from "../src/index.ts";
import { createBackend } from "./support/backend.ts";
import { createAuthority, issue } from "./support/certificates.ts";
import { createProofKey } from "./support/dpop.ts";
import { codeOf } from "./support/edge.ts";
import { AUDIENCE, createSigner, type Signer } from "./support/issuer.ts";
import { ask, EXPRESS, listen, type RawAnswer } from "./support/servers.ts";

const CA = createAuthority("Test CA");
const CERTIFICATE = issue(CA, "Test CA", "mtls");
const OTHER_CERTIFICATE = issue(CA, "Test CA", "other");
const clientKey = await createSigner("ES256", "client-key");
const REDIRECT = "https://app.example/";
const SCOPES = "patient/*.rs system/*.rs";

const [FIRST, SECOND] = await Promise.all([createSigner("ES256", "first"), createSigner("ES256", "second")]);
const adapter = memoryAdapter();

let http: Server;
let port: number;
let issuer: string;
let provider: InstanceType<typeof Provider>;
let answer: RequestListener;

/** Begins anew with these keys, the first of which signs: what is saved stays. */
async function runWith(...keys: readonly Signer[]): Promise<void> {
  const jwks = await Promise.all(
    keys.map(async ({ privateKey, jwk }) => ({
      ...(await exportJWK(privateKey)),
      kid: jwk.kid,
      alg: "ES256",
      use: "sig",
    })),
  );
  const byKey = { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [clientKey.jwk] } };
  const itself = { grant_types: ["client_credentials"], response_types: [], redirect_uris: [] };
  const created = new Provider(issuer, {
    adapter,
    jwks: { keys: jwks },
    cookies: { keys: ["a key for this test"] },
    scopes: ["openid"],
    clientAuthMethods: ["none", "private_key_jwt", "tls_client_auth"],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    clients: [
      { client_id: "app", token_endpoint_auth_method: "none", redirect_uris: [REDIRECT] },
      { client_id: "backend", ...byKey, ...itself },
      {
        client_id: "mtls",
        token_endpoint_auth_method: "tls_client_auth",
        tls_client_auth_subject_dn: "CN=mtls",
        tls_client_certificate_bound_access_tokens: true,
        ...itself,
      },
      { client_id: "dpop", dpop_bound_access_tokens: true, ...byKey, ...itself },
    ],
    findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: async () => ({ sub: accountId }) }),
    extraTokenClaims: (_ctx: unknown, token: object) => ("accountId" in token ? { patient: "p1" } : undefined),
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 300, Interaction: 300, Session: 300, IdToken: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        certificateBoundAccessTokens: true,
        // As a TLS terminator in front of it would say.
        getCertificate: (ctx: { get(name: string): string }) => {
          const der = Buffer.from(ctx.get("x-certificate"), "base64");
          return der.length === 0 ? undefined : der.equals(CERTIFICATE.der) ? CERTIFICATE.pem : OTHER_CERTIFICATE.pem;
        },
        certificateAuthorized: (ctx: { get(name: string): string }) => ctx.get("x-certificate") !== "",
        certificateSubjectMatches: (ctx: { get(name: string): string }) =>
          Buffer.from(ctx.get("x-certificate"), "base64").equals(CERTIFICATE.der),
      },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPES,
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  } as unknown as Configuration);
  const callback = created.callback();
  provider = created;
  answer = (req, res) => {
    if (req.url?.startsWith("/interaction/") === true) void interact(req, res);
    else void callback(req, res);
  };
}

/** The user signs in and agrees, without being asked. */
async function interact(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { prompt, session } = await provider.interactionDetails(req, res);
  if (prompt.name === "login") {
    await provider.interactionFinished(req, res, { login: { accountId: "user-1" } });
    return;
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? "", clientId: "app" });
  grant.addOIDCScope("openid");
  grant.addResourceScope(AUDIENCE, "patient/*.rs");
  const grantId = await grant.save();
  await provider.interactionFinished(req, res, { consent: { grantId } }, { mergeWithLastSubmission: true });
}

const up = async (): Promise<void> => {
  http = createServer((req, res) => answer(req, res));
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
};
const down = async (): Promise<void> => {
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
};

beforeAll(async () => {
  port = 0;
  await up();
  ({ port } = http.address() as AddressInfo);
  issuer = `http://127.0.0.1:${port}`;
  await runWith(FIRST);
});
afterAll(down);

const assertion = (clientId: string): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: "ES256", kid: "client-key" })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(clientKey.privateKey);

async function requestToken(form: Record<string, string>, headers: Record<string, string> = {}): Promise<string> {
  const body = new URLSearchParams(form);
  const response = await fetch(`${issuer}/token`, { method: "POST", body, headers });
  const json = (await response.json()) as { access_token?: string; error_description?: string };
  if (json.access_token === undefined) throw new Error(json.error_description);
  return json.access_token;
}

const asItself = { grant_type: "client_credentials", resource: AUDIENCE, scope: "system/*.rs" };
const byKey = async (clientId: string): Promise<Record<string, string>> => ({
  client_id: clientId,
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: await assertion(clientId),
});
const backendToken = async (): Promise<string> => requestToken({ ...asItself, ...(await byKey("backend")) });

/** The whole of the code flow with PKCE, as a browser goes through it. */
async function userToken(): Promise<string> {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: "app",
    response_type: "code",
    redirect_uri: REDIRECT,
    scope: "openid patient/*.rs",
    resource: AUDIENCE,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const cookies = new Map<string, string>();
  let url = `${issuer}/auth?${query.toString()}`;
  for (let hop = 0; hop < 10 && !url.startsWith(REDIRECT); hop++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    url = new URL(response.headers.get("location") ?? "/nowhere", url).href;
  }
  const code = new URL(url).searchParams.get("code") ?? "";
  return requestToken({
    grant_type: "authorization_code",
    client_id: "app",
    redirect_uri: REDIRECT,
    resource: AUDIENCE,
    code,
    code_verifier: verifier,
  });
}

describe.each(EXPRESS)("JWT access tokens of a real authorisation server on %s", (_name, express) => {
  async function edge(options: Partial<SmartAuthOptions> = {}): Promise<string> {
    const app = express();
    const guard = smartAuth({
      issuers: [{ issuer, audience: [AUDIENCE] }],
      baseUrl: AUDIENCE,
      development: true,
      dpop: {},
      clientCertificateHeader: { format: "rfc9440", name: "client-cert", trustedProxies: ["127.0.0.0/8"] },
      ...options,
    });
    app.use("/fhir", guard, createBackend(express).router);
    return listen(app);
  }
  const get = (at: string, token: string, headers: Record<string, string> = {}, path = "/Patient/p1") =>
    ask(at, `/fhir${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } });
  const outcomeOf = (answered: RawAnswer) => [answered.status, answered.status === 200 ? "" : codeOf(answered)];
  const INVALID = [401, "smart-auth/token-invalid"];

  it("of the code flow with PKCE reach their patient, and no other", async () => {
    const at = await edge();
    const token = await userToken();
    expect(outcomeOf(await get(at, token))).toEqual([200, ""]);
    expect(outcomeOf(await get(at, token, {}, "/Patient/p2"))).toEqual([404, "smart-auth/not-found"]);
  });

  it("of a backend service (private_key_jwt) reach everybody", async () => {
    const at = await edge();
    expect(outcomeOf(await get(at, await backendToken(), {}, "/Patient/p2"))).toEqual([200, ""]);
  });

  it("changed in one character are refused", async () => {
    const at = await edge();
    const token = await backendToken();
    const middle = token.lastIndexOf(".") + 10;
    const changed = token.slice(0, middle) + (token[middle] === "A" ? "B" : "A") + token.slice(middle + 1);
    expect(outcomeOf(await get(at, changed))).toEqual(INVALID);
  });

  it("RFC 8705: of a client that showed its certificate count with this certificate only", async () => {
    const at = await edge();
    const shown = { "x-certificate": CERTIFICATE.der.toString("base64") };
    const token = await requestToken({ ...asItself, client_id: "mtls" }, shown);
    const by = (der: Buffer) => ({ "client-cert": `:${der.toString("base64")}:` });
    expect(outcomeOf(await get(at, token, by(CERTIFICATE.der)))).toEqual([200, ""]);
    expect(outcomeOf(await get(at, token, by(OTHER_CERTIFICATE.der)))).toEqual(INVALID);
    expect(outcomeOf(await get(at, token))).toEqual(INVALID);
  });

  it("RFC 9449: bound to a key count with its proof, once, and never as bearer tokens", async () => {
    const at = await edge();
    const { privateKey, jwk } = await createProofKey();
    const prove = (htm: string, htu: string, claims: object = {}) =>
      new SignJWT({ htm, htu, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
        .setIssuedAt()
        .sign(privateKey);
    const proof = await prove("POST", `${issuer}/token`);
    const token = await requestToken({ ...asItself, ...(await byKey("dpop")) }, { dpop: proof });
    const ath = createHash("sha256").update(token).digest("base64url");
    const use = async () => ({
      authorization: `DPoP ${token}`,
      dpop: await prove("GET", `${AUDIENCE}/Patient/p1`, { ath }),
    });
    const headers = await use();
    expect(outcomeOf(await get(at, token, headers))).toEqual([200, ""]);
    expect(outcomeOf(await get(at, token, headers))).toEqual([401, "smart-auth/proof-invalid"]);
    expect(outcomeOf(await get(at, token, await use()))).toEqual([200, ""]);
    expect(outcomeOf(await get(at, token))).toEqual(INVALID);
  });

  it("F7: are refused by none while keys are rotated under them, and by all once their key is gone", async () => {
    let offset = 0;
    const at = await edge({ now: () => Date.now() + offset });
    const early = await backendToken();
    expect(outcomeOf(await get(at, early))).toEqual([200, ""]);
    const outcomes: unknown[] = [];
    let isOver = false;
    const flow = async () => {
      while (!isOver) outcomes.push(outcomeOf(await get(at, await backendToken())));
    };
    const flows = [flow(), flow(), flow()];
    const after = (count: number) => expect.poll(() => outcomes.length, { timeout: 20_000 }).toBeGreaterThan(count);
    try {
      await after(5);
      // Published for longer than an unknown kid has to wait, then used, then alone.
      await runWith(FIRST, SECOND);
      offset = 31_000;
      await after(outcomes.length + 5);
      await runWith(SECOND, FIRST);
      await after(outcomes.length + 5);
      await runWith(SECOND);
      await after(outcomes.length + 5);
    } finally {
      isOver = true;
      await Promise.all(flows);
    }
    expect(new Set(outcomes.map(String))).toEqual(new Set(["200,"]));
    const unseen = await edge();
    expect(outcomeOf(await get(unseen, early))).toEqual(INVALID);
    await runWith(FIRST);
  });

  it("F7: count while their server is down, for an edge that knows its keys; another says when to come back", async () => {
    let offset = 0;
    const now = () => Date.now() + offset;
    const [known, unknown] = [await edge({ now }), await edge({ now })];
    const [first, second] = [await backendToken(), await backendToken()];
    expect(outcomeOf(await get(known, first))).toEqual([200, ""]);
    await down();
    expect(outcomeOf(await get(known, second))).toEqual([200, ""]);
    const refused = await get(unknown, first);
    expect(outcomeOf(refused)).toEqual([503, "smart-auth/keys-unavailable"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    await up();
    offset += 2000;
    expect(outcomeOf(await get(unknown, first))).toEqual([200, ""]);
  });
});
