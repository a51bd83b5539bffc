import { createPrivateKey, type JsonWebKey, KeyObject } from "node:crypto";
import { types } from "node:util";
import type { CryptoKey } from "jose";

const CURVES: ReadonlyMap<string, { readonly web: string; readonly node: string }> = new Map([
  ["ES256", { web: "P-256", node: "prime256v1" }],
  ["ES384", { web: "P-384", node: "secp384r1" }],
  ["ES512", { web: "P-521", node: "secp521r1" }],
]);

/** A private key that may sign, from a CryptoKey or a JWK; `undefined` for anything else. */
export function privateKey(key: unknown): CryptoKey | KeyObject | undefined {
  if (types.isCryptoKey(key)) return key.type === "private" && key.usages.includes("sign") ? key : undefined;
  try {
    return createPrivateKey({ key: key as JsonWebKey, format: "jwk" });
  } catch {
    return undefined;
  }
}

/** By kind and curve, so that a mistake stops the start-up and not every question. */
export function fitsAlgorithm(key: CryptoKey | KeyObject, alg: string): boolean {
  const curve = CURVES.get(alg);
  const isEdwards = alg === "EdDSA" || alg === "Ed25519";
  if (key instanceof KeyObject) {
    const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
    if (curve !== undefined) return kind === "ec" && details?.namedCurve === curve.node;
    return kind === (isEdwards ? "ed25519" : "rsa");
  }
  const { name, namedCurve, hash } = key.algorithm as { name: string; namedCurve?: string; hash?: { name: string } };
  if (curve !== undefined) return name === "ECDSA" && namedCurve === curve.web;
  if (isEdwards) return name === "Ed25519";
  const scheme = alg.startsWith("PS") ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  return name === scheme && hash?.name === `SHA-${alg.slice(2)}`;
}
