import { createHash, randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import {
  assertedClientOf,
  createMemoryReplayStore,
  type RegisteredClient,
  refuseLegacyGrants,
  requireClientAssertion,
} from "@wardline/smart-auth";
import express, { type Express } from "express";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export interface SignInOptions {
  /** `http://127.0.0.1:8082` */
  readonly issuer: string;
  /** Where systems ask for tokens, over mutual TLS: the audience of their assertions. */
  readonly tokenUrl: string;
  readonly systems: ReadonlyMap<string, RegisteredSystem>;
}

export interface RegisteredSystem {
  readonly keys: RegisteredClient["jwks"];
  /** What its tokens are for. */
  readonly scope: string;
}

export interface SignIn {
  /** The keys tokens are verified with. */
  readonly keys: Express;
  /** Client credentials by `private_key_jwt`, to be served over mutual TLS only. */
  readonly tokens: Express;
}

const TOKEN_SECONDS = 300;

/**
 * An authorisation server for systems, as small as can be. In production, your identity provider.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
 */
export async function createSignIn({ issuer, tokenUrl, systems }: SignInOptions): Promise<SignIn> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), alg: "ES256", kid: "tokens", use: "sig" };
  const issue = (claims: JWTPayload): Promise<string> =>
    new SignJWT({ jti: randomBytes(16).toString("base64url"), ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "tokens", typ: "at+jwt" })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(privateKey);

  const keys = express();
  keys.get("/.well-known/oauth-authorization-server", (_req, res) => {
    res.json({ issuer, token_endpoint: tokenUrl, jwks_uri: `${issuer}/jwks`, response_types_supported: ["none"] });
  });
  keys.get("/jwks", (_req, res) => void res.json({ keys: [jwk] }));

  const tokens = express();
  tokens.post(
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
      const { resource = "" } = req.body as Record<string, string>;
      // RFC 8705 section 3: the token counts with the certificate it was asked for with, and with no other.
      const { raw } = (req.socket as TLSSocket).getPeerCertificate();
      const cnf = { "x5t#S256": createHash("sha256").update(raw).digest("base64url") };
      const { scope = "" } = systems.get(clientId) ?? {};
      const token = await issue({ sub: clientId, client_id: clientId, scope, aud: resource, cnf });
      res.json({ access_token: token, token_type: "Bearer", expires_in: TOKEN_SECONDS });
    },
  );
  return { keys, tokens };
}
