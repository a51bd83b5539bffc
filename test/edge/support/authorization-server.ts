import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { memoryAdapter, Provider } from "@wardline-tools/test-kit/oidc-provider";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";
import type { Configuration } from "oidc-provider";

export const REDIRECT = "http://127.0.0.1:9/callback";
export const PASSWORD = "correct' OR 1=1 -- horse";

/** oidc-provider, as it would stand behind the edge: it believes what the edge says of where it is. */
export interface AuthorizationServer {
  readonly origin: string;
  readonly key: CryptoKey;
  readonly jwk: JWK;
  /** `METHOD target` of every request that arrived. */
  readonly asked: string[];
  readonly bodies: string[];
  readonly headers: IncomingMessage["headers"][];
  /** In place of the provider, for one test. */
  answer: ((req: IncomingMessage, res: ServerResponse) => void) | undefined;
  readonly stop: () => Promise<void>;
}

export interface ServerOptions {
  /** As clients see it, with its path. */
  readonly issuer: string;
  readonly path: string;
  readonly resource: string;
}

export async function startAuthorizationServer({
  issuer,
  path,
  resource,
}: ServerOptions): Promise<AuthorizationServer> {
  const [tokens, client] = await Promise.all([
    generateKeyPair("ES256", { extractable: true }),
    generateKeyPair("ES384", { extractable: true }),
  ]);
  const signing = { ...(await exportJWK(tokens.privateKey)), kid: "tokens", alg: "ES256", use: "sig" };
  const jwk: JWK = { ...(await exportJWK(client.publicKey)), kid: "backend", alg: "ES384", use: "sig" };
  const provider = new Provider(issuer, configuration(signing, jwk, path, resource));
  provider.proxy = true;
  const callback = provider.callback();
  const server: { answer: AuthorizationServer["answer"] } = { answer: undefined };
  const [asked, bodies, headers]: [string[], string[], IncomingMessage["headers"][]] = [[], [], []];

  const http = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    headers.push(req.headers);
    const { url = "" } = req;
    if (server.answer !== undefined) {
      const { answer } = server;
      void textOf(req).then((text) => {
        bodies.push(text);
        answer(req, res);
      });
      return;
    }
    if (url.startsWith(`${path}/interaction/`)) return void interact(req, res);
    req.url = url.slice(path.length);
    // What oidc-provider reads to write its own addresses below the path it is mounted at.
    Object.assign(req, { originalUrl: url });
    void callback(req, res);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));

  /** A form with a password, then the user's consent. */
  async function interact(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { prompt, session, params } = await provider.interactionDetails(req, res);
    if (prompt.name === "consent") {
      const grant = new provider.Grant({ accountId: session?.accountId ?? "", clientId: String(params["client_id"]) });
      grant.addOIDCScope("openid");
      grant.addResourceScope(resource, "patient/*.rs");
      const grantId = await grant.save();
      await provider.interactionFinished(req, res, { consent: { grantId } }, { mergeWithLastSubmission: true });
      return;
    }
    if (req.method !== "POST") {
      const policy = "default-src 'self'; form-action 'self'";
      res.writeHead(200, { "content-type": "text/html", "content-security-policy": policy });
      res.end("<form method=post><input name=password type=password></form>");
      return;
    }
    if (new URLSearchParams(await textOf(req)).get("password") !== PASSWORD) {
      res.writeHead(401, { "content-type": "text/html" }).end("<p>Wrong password.</p>");
      return;
    }
    await provider.interactionFinished(req, res, { login: { accountId: "user-1" } });
  }

  const state = {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    key: client.privateKey,
    jwk,
    asked,
    bodies,
    headers,
    stop: () =>
      new Promise<void>((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
  return Object.defineProperty(state as typeof state & { answer: AuthorizationServer["answer"] }, "answer", {
    get: () => server.answer,
    set: (answer: AuthorizationServer["answer"]) => {
      server.answer = answer;
    },
  });
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function configuration(signing: JWK, client: JWK, path: string, resource: string): Configuration {
  return {
    adapter: memoryAdapter(),
    jwks: { keys: [signing] },
    cookies: { keys: ["a key for this test"] },
    scopes: ["openid"],
    clientAuthMethods: ["none", "private_key_jwt", "client_secret_basic"],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    enabledJWA: { clientAuthSigningAlgValues: ["ES384", "RS384"] },
    clients: [
      {
        client_id: "app",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: [REDIRECT],
      },
      {
        client_id: "backend",
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [client] },
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
      },
    ],
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `${path}/interaction/${uid}` },
    findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    extraTokenClaims: (_ctx: unknown, token: object) => ("accountId" in token ? { patient: "a" } : undefined),
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 300, Interaction: 300, Session: 300, IdToken: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "patient/*.rs system/*.rs",
          audience: resource,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  } as unknown as Configuration;
}
