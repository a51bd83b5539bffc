import { createHash, randomUUID } from "node:crypto";
import { type CryptoKey, calculateJwkThumbprint, type JWK } from "jose";
import { AUDIENCE, createSigner, NOW, sign } from "./issuer.ts";

export interface ProofKey {
  readonly privateKey: CryptoKey;
  /** Public members only. */
  readonly jwk: JWK;
  readonly jkt: string;
}

export async function createProofKey(alg = "ES256"): Promise<ProofKey> {
  const { privateKey, jwk } = await createSigner(alg, "unused");
  const { kid: _, alg: __, use: ___, ...bare } = jwk;
  return { privateKey, jwk: bare, jkt: await calculateJwkThumbprint(bare) };
}

export const KEY: ProofKey = await createProofKey();
export const OTHER_KEY: ProofKey = await createProofKey();
const ATH_OF = (token: string): string => createHash("sha256").update(token).digest("base64url");

/** A proof for `GET [base]/Patient/p1`, changed as told. */
export function proofFor(
  token: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = KEY.privateKey,
): Promise<string> {
  const good = { jti: randomUUID(), htm: "GET", htu: `${AUDIENCE}/Patient/p1`, iat: NOW, ath: ATH_OF(token) };
  return sign({ ...good, ...claims }, { alg: "ES256", typ: "dpop+jwt", jwk: KEY.jwk, ...header }, key);
}
