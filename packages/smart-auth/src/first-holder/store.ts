import { createExpiring } from "../expiring.ts";
import type { MemoryReplayStoreOptions } from "../replay.ts";
import { createTokenCache } from "../token-cache.ts";

/**
 * Remembers who used a token first. Shared by every instance; `@wardline/smart-auth` waits 50 ms for it and refuses the
 * request (503) when it rejects.
 */
export interface HolderStore {
  /**
   * The first `holder` that was ever given for `key`: this one, unless there was one before. Rejects when it cannot tell.
   *
   * @param key at most 64 characters of base64url
   * @param expiresAt seconds since the epoch; may be forgotten from then on, not before
   */
  hold(key: string, holder: string, expiresAt: number): Promise<string>;
}

const DEFAULT_LIMIT = 100_000;

/**
 * A holder store for one process. Full of keys that still count, it rejects.
 *
 * Does NOT know what other instances have seen.
 */
export function createMemoryHolderStore(options: MemoryReplayStoreOptions = {}): HolderStore {
  const { limit = DEFAULT_LIMIT, now = Date.now } = options;
  const holders = createExpiring<string>(limit);
  return {
    async hold(key, holder, until) {
      const nowSeconds = now() / 1000;
      const known = holders.get(key, nowSeconds);
      if (known === undefined) holders.set(key, holder, { until, nowSeconds });
      return known ?? holder;
    },
  };
}

/** Asks a store once for each token: who was first never changes. */
export function remembered(store: HolderStore, now: () => number): HolderStore {
  const known = createTokenCache<string>();
  return {
    async hold(key, holder, expiresAt) {
      const first = known.get(key, now() / 1000) ?? (await store.hold(key, holder, expiresAt));
      known.set(key, first, expiresAt);
      return first;
    },
  };
}
