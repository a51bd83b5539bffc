import type { SigningRequest } from "@wardline/gateway";
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK } from "jose";
import { CliError } from "../exit.ts";
import { readText } from "../files.ts";

export type Algorithm = SigningRequest["algorithm"];
export const ALGORITHMS: readonly Algorithm[] = ["EdDSA", "ES256", "ES384", "PS256"];

export interface KeyPair {
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
}

/** @see https://www.rfc-editor.org/rfc/rfc7517 */
export async function newKeyPair(keyId: string, algorithm: Algorithm): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const named = { kid: keyId, alg: algorithm, use: "sig" };
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
  };
}

/** A private key as `wardline keys new policy` writes it. */
export async function readPrivateKey(file: string): Promise<Pick<SigningRequest, "key" | "keyId" | "algorithm">> {
  const jwk = readJson(await readText(file), file) as JWK | null;
  const { kid, alg, d } = jwk ?? {};
  const algorithm = ALGORITHMS.find((known) => known === alg);
  if (kid === undefined || algorithm === undefined || d === undefined) {
    throw new CliError(`${file} is no private signing key; make one with \`wardline keys new policy\``);
  }
  try {
    return { key: (await importJWK(jwk as JWK, algorithm)) as CryptoKey, keyId: kid, algorithm };
  } catch {
    throw new CliError(`${file} holds a key that cannot be used; make another with \`wardline keys new policy\``);
  }
}

/** The set of those who may approve. Refuses private keys: the file lies on every edge. */
export async function readTrustedKeys(file: string): Promise<JSONWebKeySet> {
  return parseTrustedKeys(await readText(file), file);
}

export function parseTrustedKeys(text: string, file: string): JSONWebKeySet {
  const set = readJson(text, file) as Partial<JSONWebKeySet> | null;
  if (!Array.isArray(set?.keys)) throw new CliError(`${file} is no JWK set: { "keys": [...] }`);
  for (const { kid, d, k } of set.keys as readonly JWK[]) {
    if (d !== undefined || k !== undefined)
      throw new CliError(`${file} holds a private key; it may hold public ones only`);
    if (kid === undefined) throw new CliError(`${file} holds a key without a kid`);
  }
  return set as JSONWebKeySet;
}

function readJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CliError(`${file} is not JSON`);
  }
}
