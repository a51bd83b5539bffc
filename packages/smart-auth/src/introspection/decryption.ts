import { createPrivateKey, type JsonWebKey, KeyObject } from "node:crypto";
import { types } from "node:util";
import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { type CryptoKey, compactDecrypt, decodeProtectedHeader } from "jose";
import type { DecryptionSettings, IntrospectionDecryption } from "./settings.ts";

const KINDS: Readonly<Record<IntrospectionDecryption["alg"], string>> = Object.freeze({
  "RSA-OAEP-256": "rsa",
  "ECDH-ES": "ec",
  "ECDH-ES+A128KW": "ec",
  "ECDH-ES+A256KW": "ec",
});
const DEFAULT_ENC: readonly string[] = Object.freeze(["A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512"]);

export function parseDecryption(
  found: Findings,
  options: IntrospectionDecryption,
  path: string,
  expectSigned: boolean,
): DecryptionSettings | undefined {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must have `key` and `alg`");
    return undefined;
  }
  refuseUnknownKeys(found, options, ["key", "alg", "enc"], path);
  // Anybody can encrypt to a public key.
  if (!expectSigned)
    found.add(path, "needs-signed", "an encrypted answer proves nothing unless it is signed: set `expectSigned`");
  const { alg, enc = DEFAULT_ENC } = options;
  if (!Object.hasOwn(KINDS, alg))
    found.add(join(path, "alg"), "unknown-value", `choose from ${Object.keys(KINDS).join(", ")}`);
  if (
    !Array.isArray(enc) ||
    enc.length === 0 ||
    !enc.every((one: unknown) => (DEFAULT_ENC as readonly unknown[]).includes(one))
  ) {
    found.add(join(path, "enc"), "unknown-value", `choose from ${DEFAULT_ENC.join(", ")}`);
  }
  const key = decryptionKey(options.key);
  if (key === undefined) found.add(join(path, "key"), "not-a-key", "must be a private key, as CryptoKey or JWK");
  else if (Object.hasOwn(KINDS, alg) && !isFor(key, alg))
    found.add(join(path, "key"), "not-for-alg", "the key is not one for `alg`");
  return key === undefined ? undefined : Object.freeze({ key, alg, enc: Object.freeze([...enc]) });
}

/**
 * What is inside a compact JWE: the text that was encrypted to our key. Throws for anything else, and for what was compressed
 * (RFC 8725 section 3.6).
 *
 * Does NOT say who encrypted it: the signature inside does.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9701#section-5
 */
export async function decrypt(text: string, { key, alg, enc }: DecryptionSettings): Promise<string> {
  const header = decodeProtectedHeader(text);
  if ("zip" in header || "crit" in header) throw new Error("the answer is compressed, or needs an extension");
  const { plaintext } = await compactDecrypt(text, key, {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: [...enc],
  });
  return Buffer.from(plaintext).toString("latin1");
}

function decryptionKey(key: unknown): CryptoKey | KeyObject | undefined {
  if (types.isCryptoKey(key)) return key.type === "private" ? key : undefined;
  try {
    return createPrivateKey({ key: key as JsonWebKey, format: "jwk" });
  } catch {
    return undefined;
  }
}

function isFor(key: CryptoKey | KeyObject, alg: IntrospectionDecryption["alg"]): boolean {
  if (key instanceof KeyObject) return key.asymmetricKeyType === KINDS[alg];
  return key.algorithm.name === (KINDS[alg] === "rsa" ? "RSA-OAEP" : "ECDH");
}
