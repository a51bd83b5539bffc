import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { memoryAdapter, Provider } from "@wardline-tools/test-kit/oidc-provider";
import { type CryptoKey, exportJWK } from "jose";
import type { Configuration } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smartAuth } from "../src/index.ts";
import type { IntrospectionAuthentication } from "../src/introspection/settings.ts";
import { createBackend, SECRET } from "./support/backend.ts";
import { codeOf } from "./support/edge.ts";
import { AUDIENCE, createSigner } from "./support/issuer.ts";
import { ask, EXPRESS, listen } from "./support/servers.ts";

const edgeKey = await createSigner("ES256", "edge-key");
const serverKey = await createSigner("ES256", "server-key");
const jwks = async (key: CryptoKey) => ({ keys: [{ ...(await exportJWK(key)), kid: "server-key", alg: "ES256" }] });
const PRIVATE_KEY_JWT: IntrospectionAuthentication = {
  method: "private_key_jwt",
  key: edgeKey.privateKey,
  alg: "ES256",
  kid: "edge-key",
};

const http = createServer();
let issuer: string;
let provider: InstanceType<typeof Provider>;

beforeAll(async () => {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const none = { grant_types: [], response_types: [], redirect_uris: [] };
  provider = new Provider(issuer, {
    adapter: memoryAdapter(),
    clientDefaults: { id_token_signed_response_alg: "ES256", introspection_signed_response_alg: "ES256" },
    clients: [
      { client_id: "app", token_endpoint_auth_method: "none", redirect_uris: ["https://app.example/"] },
      { client_id: "edge", client_secret: "s/e c+ret", ...none },
      { client_id: "edge-jwt", token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [edgeKey.jwk] }, ...none },
    ] as NonNullable<Configuration["clients"]>,
    jwks: (await jwks(serverKey.privateKey)) as NonNullable<Configuration["jwks"]>,
    cookies: { keys: ["a key for this test"] },
    scopes: ["openid", "offline_access", "patient/*.rs", "system/*.rs"],
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 300, RefreshToken: 300 },
    extraTokenClaims: (_ctx, token) => ("accountId" in token ? { patient: "p1" } : undefined),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: "patient/*.rs system/*.rs", accessTokenFormat: "opaque" as const }),
      },
    },
  });
  const answer = provider.callback();
  http.on("request", (req, res) => void answer(req, res));
});
afterAll(() => http.close());

type Kind = "AccessToken" | "ClientCredentials" | "RefreshToken";

/** A token of this server, saved as its own endpoints would. */
async function mint(kind: Kind, scope: string, audience = AUDIENCE): Promise<string> {
  const client = await provider.Client.find("app");
  if (client === undefined) throw new Error("no client");
  const grant = new provider.Grant({ clientId: "app", accountId: "user-1" });
  grant.addResourceScope(audience, scope);
  const shared = { client, scope };
  const accessor = { accountId: "user-1", grantId: await grant.save(), gty: "authorization_code" };
  const properties = kind === "ClientCredentials" ? shared : { ...shared, ...accessor };
  const token = new provider[kind](properties as never);
  if (kind !== "RefreshToken") {
    Object.assign(token, { resourceServer: new provider.ResourceServer(audience, { scope, accessTokenTTL: 300 }) });
  }
  return token.save();
}

describe.each(EXPRESS)("opaque tokens of a real authorisation server on %s", (_name, express) => {
  const basic: IntrospectionAuthentication = { method: "client_secret_basic", secret: "s/e c+ret" };

  async function origin(clientId = "edge", authentication = basic, expectSigned = false): Promise<string> {
    const app = express();
    const introspection = {
      endpoint: `${issuer}/token/introspection`,
      clientId,
      authentication,
      expectSigned,
      positiveTtlSeconds: 0,
    };
    const guard = smartAuth({
      issuers: [{ issuer, audience: [AUDIENCE], introspection }],
      baseUrl: AUDIENCE,
      development: true,
    });
    app.use("/fhir", guard, createBackend(express).router);
    return listen(app);
  }
  const get = (at: string, token: string, path = "/fhir/Patient/p1") =>
    ask(at, path, { headers: { authorization: `Bearer ${token}` } });

  it.each<[string, string, IntrospectionAuthentication, boolean]>([
    ["by secret", "edge", basic, false],
    ["by key", "edge-jwt", PRIVATE_KEY_JWT, false],
    ["by secret, signed", "edge", basic, true],
  ])("count, asked about %s, for their patient only", async (_how, clientId, authentication, signed) => {
    const at = await origin(clientId, authentication, signed);
    const token = await mint("AccessToken", "patient/*.rs");
    expect((await get(at, token)).status).toBe(200);
    const other = await get(at, token, "/fhir/Patient/p2");
    expect([other.status, codeOf(other)]).toEqual([404, "smart-auth/not-found"]);
    expect(other.text).not.toContain(SECRET);
  });

  it("count for a client of its own", async () => {
    const token = await mint("ClientCredentials", "system/*.rs");
    expect((await get(await origin(), token, "/fhir/Patient/p2")).status).toBe(200);
  });

  it("do not count once they are revoked", async () => {
    const at = await origin();
    const token = await mint("AccessToken", "patient/*.rs");
    expect((await get(at, token)).status).toBe(200);
    await (await provider.AccessToken.find(token))?.destroy();
    const after = await get(at, token);
    expect([after.status, codeOf(after)]).toEqual([401, "smart-auth/token-invalid"]);
  });

  it("do not count when meant for another API", async () => {
    const answer = await get(await origin(), await mint("AccessToken", "patient/*.rs", "https://other.example/"));
    expect([answer.status, codeOf(answer)]).toEqual([401, "smart-auth/token-invalid"]);
  });

  it("are not replaced by a refresh token", async () => {
    const answer = await get(await origin(), await mint("RefreshToken", "patient/*.rs"));
    expect([answer.status, codeOf(answer)]).toEqual([401, "smart-auth/token-invalid"]);
  });

  it("F8: do not count while our own credentials are refused", async () => {
    const at = await origin("edge", { method: "client_secret_basic", secret: "wrong" });
    const answer = await get(at, await mint("AccessToken", "patient/*.rs"));
    expect([answer.status, codeOf(answer)]).toEqual([503, "smart-auth/introspection-unavailable"]);
    expect(answer.headers["retry-after"]).toBe("2");
  });
});
