import type { IncomingMessage, ServerResponse } from "node:http";
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";
import type { SmartIssuer } from "../../src/index.ts";
import { listen } from "./servers.ts";

export const AUDIENCE = "https://fhir.example.org/fhir";
/** All tokens of the tests live around this moment, in seconds. */
export const NOW = 1_800_000_000;

/** How the issuer answers requests for its documents. */
export type Mood = "well" | "down" | "hangs" | "redirects" | "endless" | "html";

export interface TestIssuer {
  readonly url: string;
  readonly policy: SmartIssuer;
  /** Requests for the key set so far. */
  readonly asked: () => number;
  /** Changes how it answers. */
  mood: Mood;
  keys: JWK[];
  readonly metadata: Record<string, unknown>;
  token(
    claims?: Record<string, unknown>,
    header?: Record<string, unknown>,
    key?: CryptoKey | Uint8Array,
  ): Promise<string>;
}

export interface Signer {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function createSigner(alg: string, kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** Made once: key generation is the slowest part of the tests. */
export const SIGNER: Signer = await createSigner("ES256", "k1");
export const OTHER_SIGNER: Signer = await createSigner("ES256", "k2");
export const RSA_SIGNER: Signer = await createSigner("RS256", "rsa");

export async function sign(
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
  key: CryptoKey | Uint8Array,
): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header as { alg: string }).sign(key);
}

/** A listening authorisation server: key set, RFC 8414 and OpenID metadata, moods. */
export async function createIssuer(): Promise<TestIssuer> {
  let asked = 0;
  const issuer = { mood: "well" as Mood, keys: [SIGNER.jwk, RSA_SIGNER.jwk], metadata: {} as Record<string, unknown> };
  const url = await listen((req: IncomingMessage, res: ServerResponse) => {
    if (req.url === "/jwks" || req.url === "/elsewhere") {
      if (req.url === "/jwks") asked++;
      if (issuer.mood === "hangs") return;
      if (issuer.mood === "down") {
        res.writeHead(500).end();
        return;
      }
      if (issuer.mood === "redirects" && req.url === "/jwks") {
        res.writeHead(302, { location: "/elsewhere" }).end();
        return;
      }
      if (issuer.mood === "html") {
        res.end("<html>");
        return;
      }
      const padding = issuer.mood === "endless" ? "x".repeat(300 * 1024) : "";
      res.setHeader("content-type", "application/json").end(JSON.stringify({ keys: issuer.keys, padding }));
      return;
    }
    const document = issuer.metadata[req.url ?? ""];
    res.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document));
  });
  return Object.assign(issuer, {
    url,
    policy: { issuer: url, audience: [AUDIENCE], jwksUri: `${url}/jwks` },
    asked: () => asked,
    token: (claims = {}, header = {}, key: CryptoKey | Uint8Array = SIGNER.privateKey) =>
      sign({ ...claimsOf(url), ...claims }, { alg: "ES256", kid: "k1", typ: "at+jwt", ...header }, key),
  });
}

/** Everything RFC 9068 asks for. */
export function claimsOf(issuer: string): Record<string, unknown> {
  return {
    iss: issuer,
    aud: AUDIENCE,
    sub: "user-1",
    client_id: "app-1",
    jti: "token-1",
    iat: NOW - 10,
    exp: NOW + 290,
    scope: "patient/*.rs launch/patient",
    patient: "p1",
  };
}
