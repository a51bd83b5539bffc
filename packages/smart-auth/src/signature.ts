import type { webcrypto } from "node:crypto";
import type { CryptoKey } from "jose";
import type { KeySource } from "./jwks.ts";
import type { IssuerSettings } from "./settings.ts";
import type { UnverifiedToken } from "./token.ts";

export type SignatureVerdict =
  | { readonly kind: "good"; readonly generation: number }
  | { readonly kind: "bad"; readonly fault: string }
  | { readonly kind: "unavailable"; readonly retryAfterSeconds: number };

/** Verifies a signature with the keys and algorithms of one issuer; the token chooses neither. */
export async function verifySignature(
  token: UnverifiedToken,
  { issuer, keys }: { readonly issuer: IssuerSettings; readonly keys: KeySource },
): Promise<SignatureVerdict> {
  const { alg, kid } = token.header;
  if (!issuer.algorithms.includes(alg)) return { kind: "bad", fault: "alg is not allowed for the issuer" };
  const found = await keys.find({ alg, ...(kid === undefined ? {} : { kid }) });
  if (found.kind === "unavailable") return found;
  if (found.kind === "unknown") return { kind: "bad", fault: "the issuer has no such key" };
  const { key, generation } = found;
  return (await isSignedBy(token, key))
    ? { kind: "good", generation }
    : { kind: "bad", fault: "the signature is wrong" };
}

type Scheme = webcrypto.AlgorithmIdentifier | webcrypto.EcdsaParams | webcrypto.RsaPssParams;

/** @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1 @see https://www.rfc-editor.org/rfc/rfc8037#section-3.1 */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ["RS256", { name: "RSASSA-PKCS1-v1_5" }],
  ["RS384", { name: "RSASSA-PKCS1-v1_5" }],
  ["RS512", { name: "RSASSA-PKCS1-v1_5" }],
  ["PS256", { name: "RSA-PSS", saltLength: 32 }],
  ["PS384", { name: "RSA-PSS", saltLength: 48 }],
  ["PS512", { name: "RSA-PSS", saltLength: 64 }],
  ["ES256", { name: "ECDSA", hash: "SHA-256" }],
  ["ES384", { name: "ECDSA", hash: "SHA-384" }],
  ["ES512", { name: "ECDSA", hash: "SHA-512" }],
  ["EdDSA", { name: "Ed25519" }],
  ["Ed25519", { name: "Ed25519" }],
]);

/**
 * Whether a key signed a token whose form `parseToken` has found right. The hash of an RSA signature is the key's own:
 * keys are imported for one algorithm.
 *
 * Does NOT choose the key, and does NOT look at what was signed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-5.2
 */
export async function isSignedBy({ text, header }: UnverifiedToken, key: CryptoKey): Promise<boolean> {
  const scheme = SCHEMES.get(header.alg);
  if (scheme === undefined) return false;
  const end = text.lastIndexOf(".");
  try {
    return await crypto.subtle.verify(
      scheme,
      key,
      Buffer.from(text.slice(end + 1), "base64url"),
      Buffer.from(text.slice(0, end), "latin1"),
    );
  } catch {
    return false;
  }
}
