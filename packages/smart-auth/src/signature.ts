import { type CryptoKey, compactVerify } from "jose";
import type { KeySource } from "./jwks.ts";
import type { IssuerSettings } from "./settings.ts";
import type { UnverifiedToken } from "./token.ts";

export type SignatureVerdict =
  | { readonly kind: "good" }
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
  return (await verifies(token, found.key)) ? { kind: "good" } : { kind: "bad", fault: "the signature is wrong" };
}

async function verifies(token: UnverifiedToken, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token.text, key, { algorithms: [token.header.alg] });
    return true;
  } catch {
    return false;
  }
}
