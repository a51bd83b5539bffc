import type { MemoryRevocationList } from "./revocation.ts";
import { createRevocationState, revocationOf } from "./revocation-state.ts";

/**
 * A revocation list for one process. Full of entries that still count, revoking throws a DependencyError: forgetting one
 * would give a token back.
 *
 * Does NOT reach other instances, nor outlive its process.
 */
export function createMemoryRevocationList(
  options: { readonly limit?: number; readonly now?: () => number } = {},
): MemoryRevocationList {
  const state = createRevocationState(options.limit, options.now);
  return {
    revokeTokenId: (...named) => state.put(revocationOf.tokenId(...named)),
    revokeTokenHash: (...named) => state.put(revocationOf.tokenHash(...named)),
    revokeSubject: (...named) => state.put(revocationOf.subject(...named)),
    isRevoked: async (token) => state.covers(token),
  };
}
