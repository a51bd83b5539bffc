import { createHash, randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import {
  assertedClientOf,
  createMemoryReplayStore,
  type RegisteredClient,
  refuseLegacyGrants,
  requireClientAssertion,
} from "@wardline/smart-auth";
import express, { type Express, type Request } from "express";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export interface SignInOptions {
  /** `http://127.0.0.1:8082` */
  readonly issuer: string;
  /** Where systems ask for tokens, over mutual TLS: the audience of their assertions. */
  readonly systemTokenUrl: string;
  readonly systems: ReadonlyMap<string, RegisteredSystem>;
}

export interface RegisteredSystem {
  readonly keys: RegisteredClient["jwks"];
  /** Members it may ask about. */
  readonly members: readonly string[];
  /** Scopes it may have as itself, in a token about no member. */
  readonly own?: string;
}

export interface SignIn {
  /** For people: the authorisation code flow with PKCE, and the keys tokens are verified with. */
  readonly people: Express;
  /** For systems: client credentials by `private_key_jwt`, to be served over mutual TLS only. */
  readonly systems: Express;
  /** For tests: a token with any claims, genuine and yet not to count. A real server has no such function. */
  readonly issue: (claims: JWTPayload) => Promise<string>;
}

const TOKEN_SECONDS = 300;
const MOST_CODES = 1000;

/**
 * An authorisation server as small as can be: who signs in is believed, so that the example needs no pages. In production,
 * your identity provider.
 */
export async function createSignIn({ issuer, systemTokenUrl, systems }: SignInOptions): Promise<SignIn> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), alg: "ES256", kid: "tokens", use: "sig" };
  const issue = (claims: JWTPayload): Promise<string> =>
    new SignJWT({ jti: randomBytes(16).toString("base64url"), ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "tokens", typ: "at+jwt" })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(privateKey);

  return {
    people: peopleApp(issuer, { keys: [jwk] }, issue),
    systems: systemsApp(systemTokenUrl, systems, issue),
    issue,
  };
}

function peopleApp(issuer: string, jwks: object, issue: SignIn["issue"]): Express {
  const codes = new Map<string, { readonly challenge: string; readonly claims: JWTPayload }>();
  const app = express();
  app.get("/.well-known/oauth-authorization-server", (_req, res) => {
    res.json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
    });
  });
  app.get("/jwks", (_req, res) => void res.json(jwks));
  // A page would ask who you are; here `login_hint` says it, and the code comes as JSON in place of a redirect.
  app.get("/authorize", refuseLegacyGrants("authorization"), (req, res) => {
    const patient = text(req, "login_hint");
    const claims = {
      sub: patient,
      patient,
      client_id: text(req, "client_id"),
      scope: text(req, "scope"),
      aud: text(req, "aud"),
    };
    const code = randomBytes(32).toString("base64url");
    if (codes.size >= MOST_CODES) codes.clear();
    codes.set(code, { challenge: text(req, "code_challenge"), claims });
    res.json({ code });
  });
  app.post("/token", express.urlencoded({ extended: false }), refuseLegacyGrants("token"), async (req, res) => {
    const { code = "", code_verifier: verifier = "" } = req.body as Record<string, string>;
    const given = codes.get(code);
    codes.delete(code);
    if (given === undefined || createHash("sha256").update(verifier).digest("base64url") !== given.challenge) {
      res.status(400).json({ error: "invalid_grant" });
      return;
    }
    res.json({ access_token: await issue(given.claims), token_type: "Bearer", expires_in: TOKEN_SECONDS });
  });
  return app;
}

function systemsApp(tokenUrl: string, systems: SignInOptions["systems"], issue: SignIn["issue"]): Express {
  const app = express();
  app.post(
    "/token",
    express.urlencoded({ extended: false }),
    refuseLegacyGrants("token"),
    requireClientAssertion({
      audience: [tokenUrl],
      replayStore: createMemoryReplayStore(),
      findClient: async (clientId) => {
        const system = systems.get(clientId);
        return system === undefined ? undefined : { clientId, jwks: system.keys };
      },
    }),
    async (req, res) => {
      const { clientId } = assertedClientOf(req);
      const { member, scope = "", resource = "" } = req.body as Record<string, string>;
      const about = rightsOf(systems.get(clientId), member, scope);
      if (about === undefined) {
        res.status(400).json({ error: "invalid_grant" });
        return;
      }
      // RFC 8705 section 3: the token counts with the certificate it was asked for with, and with no other.
      const { raw } = (req.socket as TLSSocket).getPeerCertificate();
      const cnf = { "x5t#S256": createHash("sha256").update(raw).digest("base64url") };
      const token = await issue({ sub: clientId, client_id: clientId, ...about, aud: resource, cnf });
      res.json({ access_token: token, token_type: "Bearer", expires_in: TOKEN_SECONDS });
    },
  );
  return app;
}

/** What a $member-match would have found: nobody asks about somebody who is not a member of theirs. */
function rightsOf(
  system: RegisteredSystem | undefined,
  member: string | undefined,
  scope: string,
): JWTPayload | undefined {
  if (member === undefined) return system?.own === undefined ? undefined : { scope: system.own };
  return system?.members.includes(member) === true ? { patient: member, scope } : undefined;
}

function text(req: Request, name: string): string {
  const value = req.query[name];
  return typeof value === "string" ? value : "";
}
