import {
  type CryptoKey,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from "jose";
import type { CheckedPolicy } from "./load.ts";

const TYP = "wardline-policy+jwt";
const ALGORITHMS = ["EdDSA", "ES256", "ES384", "PS256"];

/** Who may approve a policy, and what they signed. */
export interface PolicySignature {
  /** Statements made by `signPolicy`, one per signer. */
  readonly statements: readonly string[];
  /** Public keys of those who may approve, each with its `kid`. */
  readonly keys: JSONWebKeySet;
  /** How many different keys must have signed. Default 1. */
  readonly minimum?: number;
}

/** Whether a policy was approved: by whom and until when, or why not. */
export type SignatureResult =
  | { readonly kind: "approved"; readonly keyIds: readonly string[]; readonly expiresAt: number }
  | { readonly kind: "refused"; readonly because: readonly string[] };

export interface SigningRequest {
  readonly key: CryptoKey;
  readonly keyId: string;
  readonly algorithm: "EdDSA" | "ES256" | "ES384" | "PS256";
  /** Seconds the approval lasts. */
  readonly validSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * States that the policy of this content is approved: a JWT over its version, which is the hash of its content. Kept in
 * a file of its own, so that a policy stays readable and several people can sign.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515
 */
export function signPolicy({ policy, version }: CheckedPolicy, request: SigningRequest): Promise<string> {
  const issuedAt = Math.floor(request.now / 1000);
  return new SignJWT({ policy: version, name: policy.name })
    .setProtectedHeader({ alg: request.algorithm, kid: request.keyId, typ: TYP })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + request.validSeconds)
    .sign(request.key);
}

/**
 * Checks that enough of the trusted keys approved exactly this content and that their approval has not run out. One key
 * counts once, however often it signed. A missing signature is an invalid one (F11).
 */
export async function verifyPolicy(
  version: string,
  { statements, keys, minimum = 1 }: PolicySignature,
  now: number,
): Promise<SignatureResult> {
  const trusted = createLocalJWKSet(keys);
  const because: string[] = [];
  const approvals = new Map<string, number>();
  for (const [index, statement] of statements.entries()) {
    const outcome = await readStatement(statement, trusted, version, now);
    if (typeof outcome === "string") because.push(`signature ${index + 1}: ${outcome}`);
    else approvals.set(outcome.keyId, Math.max(outcome.expiresAt, approvals.get(outcome.keyId) ?? 0));
  }
  if (approvals.size >= Math.max(1, minimum)) {
    // It stands as long as enough of them stand.
    const ends = [...approvals.values()].sort((a, b) => b - a);
    return { kind: "approved", keyIds: [...approvals.keys()], expiresAt: ends[Math.max(1, minimum) - 1] ?? 0 };
  }
  if (statements.length === 0) because.push("the policy is not signed");
  else if (approvals.size > 0) because.push(`${approvals.size} of ${minimum} signatures needed`);
  return { kind: "refused", because };
}

async function readStatement(
  statement: string,
  trusted: ReturnType<typeof createLocalJWKSet>,
  version: string,
  now: number,
): Promise<string | { readonly keyId: string; readonly expiresAt: number }> {
  try {
    const { kid } = decodeProtectedHeader(statement);
    if (kid === undefined) return "it names no key";
    const { payload } = await jwtVerify(statement, trusted, {
      typ: TYP,
      algorithms: ALGORITHMS,
      requiredClaims: ["iat", "exp", "policy"],
      currentDate: new Date(now),
    });
    if (payload["policy"] !== version) return "it was given for another content";
    return { keyId: kid, expiresAt: payload.exp ?? 0 };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return "it has expired";
    if (error instanceof errors.JWKSNoMatchingKey) return "its key is not among the trusted ones";
    if (error instanceof errors.JWSSignatureVerificationFailed) return "it does not verify";
    return "it cannot be read as a policy signature";
  }
}
