import { randomBytes } from "node:crypto";
import express, { type Express } from "express";
import type { JWK, JWTPayload } from "jose";
import type OidcProvider from "oidc-provider";
import type { Client, ClientMetadata, Configuration, KoaContextWithOIDC } from "oidc-provider";
import { APPS, type App, appOf, grantable, INTROSPECTOR, REDIRECT_URI, TOKEN_SECONDS } from "./apps.ts";
import { memoryAdapter } from "./memory-adapter.ts";
import { errors, Provider } from "./oidc-provider.ts";
import { type Person, refusalPage, signIn, tellRefusal } from "./sign-in.ts";
import { makeKey, publicPart, sign } from "./signing-keys.ts";

export interface OAuthOptions {
  /** `http://127.0.0.1:8082`, without a slash at the end. */
  readonly issuer: string;
  /** The gateway's FHIR base: the audience of every access token. */
  readonly fhirBase: string;
  readonly people: readonly Person[];
}

export interface OAuthServer {
  readonly app: Express;
  /** The private key of the system app, which in life only that app has. */
  readonly systemKey: JWK;
  /** The secret of the client that may introspect. */
  readonly introspectorSecret: string;
  /**
   * For the tour and tests only: signs any claims with the server's own key, to show what becomes of a token that is
   * genuine and yet must not count. A real server has no such function.
   */
  readonly signByHand: (claims: JWTPayload) => Promise<string>;
}

/** RFC 7523 gives no limit; SMART App Launch 2.2 (backend services) does. */
const ASSERTION_SECONDS = 300;

/** An OAuth 2.0 and OpenID Connect server that speaks SMART App Launch: keys and grants live in memory. */
export async function createOAuth({ issuer, fhirBase, people }: OAuthOptions): Promise<OAuthServer> {
  const [tokenKey, idTokenKey, systemKey] = await Promise.all([
    makeKey("ES256", "access-tokens"),
    makeKey("RS256", "id-tokens"),
    makeKey("ES384", "system-app"),
  ]);
  const introspectorSecret = randomBytes(32).toString("base64url");
  const provider = new Provider(issuer, {
    ...lifetimesAndPages,
    adapter: memoryAdapter(),
    clients: APPS.map((app) => clientMetadata(app, publicPart(systemKey), introspectorSecret)),
    jwks: { keys: [tokenKey, idTokenKey] } as NonNullable<Configuration["jwks"]>,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    // RFC 7636; SMART App Launch 2.2: S256 for every app. oidc-provider knows no "plain".
    pkce: { required: () => true },
    claims: { openid: ["sub"], fhirUser: ["fhirUser"] },
    enabledJWA: { clientAuthSigningAlgValues: ["ES384", "RS384"] },
    extraParams: { aud: requireAudience(fhirBase) },
    assertJwtClientAuthClaimsAndHeader: refuseLongAssertion,
    extraTokenClaims: (_ctx, token) => ("accountId" in token ? launchContext(token.accountId, fhirBase) : undefined),
    findAccount: (_ctx, id) => {
      if (!people.some((person) => person.id === id)) return undefined;
      return { accountId: id, claims: () => ({ sub: id, fhirUser: `${fhirBase}/Patient/${id}` }) };
    },
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed("refresh_token") && source.scopes.has("offline_access"),
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientId === INTROSPECTOR },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => fhirBase,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => resourceServer(ctx, resource, client, fhirBase),
      },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
  });
  provider.on("server_error", (_ctx, error) => console.error(`OAuth server: ${error.message}`));
  provider.use(askEachTime);
  provider.use(tellLaunchContext);

  const app = express();
  app.disable("x-powered-by");
  app.use(signIn(provider, { people, fhirBase }));
  app.use(provider.callback());
  app.use(tellRefusal);
  return { app, systemKey, introspectorSecret, signByHand: (claims) => sign(tokenKey, "at+jwt", claims) };
}

function clientMetadata({ id, name, kind }: App, systemKey: JWK, secret: string): ClientMetadata {
  const common = { client_id: id, client_name: name };
  switch (kind) {
    case "public":
      return {
        ...common,
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [REDIRECT_URI],
      };
    case "system":
      return {
        ...common,
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [systemKey] } as NonNullable<ClientMetadata["jwks"]>,
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
      };
    case "introspector":
      return { ...common, client_secret: secret, grant_types: [], response_types: [], redirect_uris: [] };
  }
}

/** Which scopes count for the FHIR server, and what its tokens look like. A code or refresh token brings its own scopes. */
function resourceServer(ctx: KoaContextWithOIDC, resource: string, { clientId }: Client, fhirBase: string) {
  if (resource !== fhirBase) throw new errors.InvalidTarget();
  const app = appOf(clientId);
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const asked = [ctx.oidc.params?.["scope"], AuthorizationCode?.scope, RefreshToken?.scope];
  return {
    scope: grantable(app, asked.filter((scope) => typeof scope === "string").join(" ")).join(" "),
    audience: fhirBase,
    accessTokenFormat: app.tokenFormat,
    accessTokenTTL: TOKEN_SECONDS[app.kind],
    jwt: { sign: { alg: "ES256" as const } },
  };
}

/** SMART App Launch 2.2, launch context: a bare id for `patient`. */
function launchContext(accountId: string, fhirBase: string): { patient: string; fhirUser: string } {
  return { patient: accountId, fhirUser: `${fhirBase}/Patient/${accountId}` };
}

/** SMART App Launch 2.2, authorisation request: `aud` is required, so that no token goes to a server that only looks right. */
function requireAudience(fhirBase: string): (ctx: KoaContextWithOIDC, aud: string | undefined) => void {
  return (_ctx, aud) => {
    if (aud !== fhirBase) throw new errors.InvalidRequest("aud must be the FHIR base URL of the gateway");
  };
}

function refuseLongAssertion(_ctx: KoaContextWithOIDC, { exp }: Record<string, unknown>): void {
  if (typeof exp === "number" && exp > Date.now() / 1000 + ASSERTION_SECONDS) {
    throw new errors.InvalidClientAuth("the assertion lives longer than five minutes");
  }
}

type Middleware = Parameters<OidcProvider["use"]>[0];

/**
 * A demonstration asks each time who signs in: no session lasts from one authorisation to the next. `prompt=consent`
 * because OpenID Connect ties `offline_access` to it, and SMART apps do not send it.
 */
const askEachTime: Middleware = async (ctx, next) => {
  if (ctx.path === "/auth" && ctx.method === "GET") {
    delete ctx.req.headers.cookie;
    ctx.query = { ...ctx.query, prompt: "consent" };
  }
  await next();
};

/** SMART App Launch 2.2: the launch context stands beside the token, not only in it. */
const tellLaunchContext: Middleware = async (ctx, next) => {
  await next();
  const { oidc, body } = ctx as KoaContextWithOIDC & { body: unknown };
  if (oidc?.route !== "token" || ctx.status !== 200) return;
  const patient = (oidc.entities.AccessToken?.extra as { patient?: string } | undefined)?.patient;
  if (patient !== undefined) ctx.body = { ...(body as object), patient };
};

const HOUR = 3600;
/** Said here because oidc-provider prints a notice for every default left alone. */
const lifetimesAndPages: Configuration = {
  ttl: {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? HOUR,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? TOKEN_SECONDS.system,
    AuthorizationCode: 60,
    IdToken: HOUR,
    Interaction: HOUR,
    Session: HOUR,
    Grant: 24 * HOUR,
    RefreshToken: 24 * HOUR,
  },
  clientBasedCORS: (_ctx, origin) => new URL(origin).hostname === "127.0.0.1",
  renderError: (ctx, { error, error_description = "" }) => {
    ctx.type = "html";
    ctx.body = refusalPage(error, error_description);
  },
};
