import { DependencyError } from "@wardline/policy-types";
import type { MemoryRevocationList } from "./revocation.ts";
import { hashOf } from "./token-cache.ts";

const DEFAULT_LIMIT = 100_000;

/**
 * A revocation list for one process. Full of entries that still count, revoking throws a DependencyError: forgetting one
 * would give a token back.
 *
 * Does NOT reach other instances.
 */
export function createMemoryRevocationList(
  options: { readonly limit?: number; readonly now?: () => number } = {},
): MemoryRevocationList {
  const { limit = DEFAULT_LIMIT, now = Date.now } = options;
  /** `since` is infinite for single tokens. */
  const entries = new Map<string, { readonly since: number; readonly until: number }>();

  function revoke(key: string, since: number, until: number): void {
    const before = entries.get(key);
    if (before === undefined && entries.size >= limit) {
      for (const [old, entry] of entries) if (now() / 1000 >= entry.until) entries.delete(old);
      if (entries.size >= limit) {
        throw new DependencyError("smart-auth/revocation-list-full", "the revocation list is full", {
          retryable: true,
        });
      }
    }
    // A later word never takes an earlier one back.
    entries.set(key, {
      since: Math.max(since, before?.since ?? since),
      until: Math.max(until, before?.until ?? until),
    });
  }

  function covers(key: string, issuedAt: number): boolean {
    const entry = entries.get(key);
    return entry !== undefined && now() / 1000 < entry.until && issuedAt < entry.since;
  }

  return {
    revokeTokenId: (issuer, tokenId, until) => revoke(hashOf("id", issuer, tokenId), Number.POSITIVE_INFINITY, until),
    revokeTokenHash: (tokenHash, until) => revoke(hashOf("hash", tokenHash), Number.POSITIVE_INFINITY, until),
    revokeSubject: (issuer, subject, since, until) => revoke(hashOf("subject", issuer, subject), since, until),
    async isRevoked({ issuer, subject, tokenId, tokenHash, issuedAt = Number.NEGATIVE_INFINITY }) {
      return (
        (tokenId !== undefined && covers(hashOf("id", issuer, tokenId), issuedAt)) ||
        covers(hashOf("hash", tokenHash), issuedAt) ||
        covers(hashOf("subject", issuer, subject), issuedAt)
      );
    },
  };
}
