import { type CryptoKey, importJWK, type JWK } from "jose";

/** S2 */
const KEY_LIMIT = 100;

/** What a key must be for an algorithm; the token's `alg` never chooses more than this allows (RFC 8725 section 3.1). */
const KEY_TYPES: ReadonlyMap<string, { readonly kty: string; readonly crv?: string }> = new Map<
  string,
  { readonly kty: string; readonly crv?: string }
>([
  ["RS256", { kty: "RSA" }],
  ["RS384", { kty: "RSA" }],
  ["RS512", { kty: "RSA" }],
  ["PS256", { kty: "RSA" }],
  ["PS384", { kty: "RSA" }],
  ["PS512", { kty: "RSA" }],
  ["ES256", { kty: "EC", crv: "P-256" }],
  ["ES384", { kty: "EC", crv: "P-384" }],
  ["ES512", { kty: "EC", crv: "P-521" }],
  ["EdDSA", { kty: "OKP", crv: "Ed25519" }],
  ["Ed25519", { kty: "OKP", crv: "Ed25519" }],
]);

/** Asymmetric signatures only: `none` and HMAC are not in the language of this package (S1). */
export const ALGORITHMS: readonly string[] = Object.freeze([...KEY_TYPES.keys()]);

const SHORTEST_RSA_BITS = 2048;

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] as const;

/** Which key a token says it was signed with. */
export interface KeyQuery {
  readonly alg: string;
  readonly kid?: string;
}

export interface KeySet {
  /** The one public key that fits; `undefined` when none or more than one does. */
  find(query: KeyQuery): Promise<CryptoKey | undefined>;
}

/**
 * Reads a JWK Set. Keys that are not public signature keys are passed over. Throws when it is no JWK Set or has more than
 * 100 keys.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export function parseKeySet(document: unknown): KeySet {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new Error("the document is no JWK Set");
  if (keys.length > KEY_LIMIT) throw new Error("the JWK Set has more than 100 keys");
  const usable = (keys as unknown[]).filter(isPublicSignatureKey);
  /** By position and algorithm; at most one import each. */
  const imported = new Map<string, CryptoKey>();

  return {
    async find(query) {
      const fitting = usable.filter((key) => fits(key, query));
      const [key] = fitting;
      if (key === undefined || fitting.length > 1) return undefined;
      const place = `${usable.indexOf(key)} ${query.alg}`;
      const known = imported.get(place);
      if (known !== undefined) return known;
      const fresh = await importPublic(key, query.alg);
      if (fresh !== undefined) imported.set(place, fresh);
      return fresh;
    },
  };
}

function fits(key: JWK, { alg, kid }: KeyQuery): boolean {
  const wanted = KEY_TYPES.get(alg);
  if (wanted === undefined || key.kty !== wanted.kty) return false;
  if (wanted.crv !== undefined && wanted.crv !== key.crv) return false;
  if (key.alg !== undefined && key.alg !== alg) return false;
  return kid === undefined || key.kid === kid;
}

/** The key a proof of possession carries, when it is a public key for exactly this algorithm. */
export async function readProofKey(jwk: unknown, alg: string): Promise<CryptoKey | undefined> {
  return isPublicSignatureKey(jwk) && fits(jwk, { alg }) ? importPublic(jwk, alg) : undefined;
}

function isPublicSignatureKey(value: unknown): value is JWK {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const key = value as JWK;
  if (PRIVATE_MEMBERS.some((name) => name in key)) return false;
  if (key.use !== undefined && key.use !== "sig") return false;
  return key.key_ops === undefined || (Array.isArray(key.key_ops) && key.key_ops.includes("verify"));
}

/** RFC 7518 sections 3.3 and 3.5: "a key of size 2048 bits or larger MUST be used". */
function isWeak({ algorithm }: CryptoKey): boolean {
  const { modulusLength } = algorithm as { readonly modulusLength?: number };
  return modulusLength !== undefined && modulusLength < SHORTEST_RSA_BITS;
}

async function importPublic(key: JWK, alg: string): Promise<CryptoKey | undefined> {
  try {
    const imported = await importJWK(key, alg);
    return imported instanceof Uint8Array || isWeak(imported) ? undefined : imported;
  } catch {
    return undefined;
  }
}
