import { createHash } from "node:crypto";
import type { Principal } from "@wardline/policy-types";

/** An upstream's answer to an unsafe request, kept to be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export type IdempotencyClaim =
  /** Do it, then `keep` what came of it, or `forget` when nothing did. */
  | { readonly kind: "first"; keep(answer: KeptAnswer): void; forget(): void }
  | { readonly kind: "repeat"; readonly answer: KeptAnswer }
  /** The first request with this key has not ended, or ended without an answer that could be kept. */
  | { readonly kind: "in-work" }
  /** The key was used for another request. */
  | { readonly kind: "other-request" };

/** Bounded in entries, bytes and time. */
export interface IdempotencyStore {
  /**
   * Rejects with a `DependencyError` when it cannot say.
   *
   * @param key of one caller's, as `idempotencyKey` gives it
   */
  claim(key: string, asked: IdempotencyAsked): IdempotencyClaim | Promise<IdempotencyClaim>;
}

export interface IdempotencyAsked {
  /** Who asks, as `idempotencyOwner` names it. */
  readonly owner: string;
  readonly fingerprint: string;
  /** 32 bytes that only who asks the same again knows. */
  readonly seal: Buffer;
}

/** Whose room an answer takes. */
export function idempotencyOwner(principal: Principal | undefined): string {
  return digest(namesOf(principal));
}

/** Whose key it is: the same text from another caller is another key. @see S8 */
export function idempotencyKey(sent: string, principal: Principal | undefined): string {
  return digest([...namesOf(principal), sent]);
}

/** What is asked of whom. */
export interface AskedOnce {
  readonly upstream: string;
  readonly method: string;
  /** Below the FHIR base. */
  readonly path: string;
  readonly query: string;
  /** `If-Match` and `If-None-Exist`: under another condition it is another request. */
  readonly conditions: readonly [ifMatch: string, ifNoneExist: string];
  readonly body: Buffer;
}

/** Two FHIR bases have the same paths below them, and lead to systems of their own. */
export function requestFingerprint({ upstream, method, path, query, conditions, body }: AskedOnce): string {
  return digest([upstream, method, path, query, ...conditions, body]);
}

/** A key that follows from what is asked and by whom, and from nothing that is stored. */
export function idempotencySeal(sent: string, principal: Principal | undefined, query: string, body: Buffer): Buffer {
  return Buffer.from(digest(["wardline idempotency seal", ...namesOf(principal), sent, query, body]), "base64url");
}

function namesOf(principal: Principal | undefined): readonly string[] {
  const { issuer = "", subject = "", clientId = "", tenant = "" } = principal ?? {};
  return [issuer, subject, clientId, tenant];
}

function digest(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("base64url");
}
