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
   * @param seal 32 bytes that only who asks the same again knows
   */
  claim(key: string, fingerprint: string, seal: Buffer): IdempotencyClaim | Promise<IdempotencyClaim>;
}

/** Of this process; it can always say. */
export interface LocalIdempotencyStore extends IdempotencyStore {
  claim(key: string, fingerprint: string): IdempotencyClaim;
}

interface Entry {
  readonly fingerprint: string;
  readonly expiresAt: number;
  answer?: KeptAnswer;
}

export interface IdempotencyOptions {
  readonly now: () => number;
  /** Milliseconds an answer is kept. */
  readonly keepMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * Remembers what became of unsafe requests in this process. What falls out of its bounds is forgotten, oldest first, as
 * if its time had run out; one that is in work is not forgotten.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07
 */
export function createIdempotencyStore({
  now,
  keepMs,
  maxEntries,
  maxBytes,
}: IdempotencyOptions): LocalIdempotencyStore {
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function drop(key: string): void {
    bytes -= entries.get(key)?.answer?.body.length ?? 0;
    entries.delete(key);
  }

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      if (entries.size < maxEntries && bytes <= maxBytes && entry.expiresAt > now()) return;
      if (entry.answer !== undefined || entry.expiresAt <= now()) drop(key);
    }
  }

  return {
    claim(key, fingerprint) {
      const known = entries.get(key);
      if (known !== undefined && known.expiresAt > now()) {
        if (known.fingerprint !== fingerprint) return { kind: "other-request" };
        return known.answer === undefined ? { kind: "in-work" } : { kind: "repeat", answer: known.answer };
      }
      drop(key);
      makeRoom();
      if (entries.size >= maxEntries) return { kind: "in-work" };
      const entry: Entry = { fingerprint, expiresAt: now() + keepMs };
      entries.set(key, entry);
      return {
        kind: "first",
        keep(answer) {
          if (entries.get(key) !== entry) return;
          entry.answer = answer;
          bytes += answer.body.length;
          makeRoom();
        },
        forget() {
          if (entries.get(key) === entry) drop(key);
        },
      };
    },
  };
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
