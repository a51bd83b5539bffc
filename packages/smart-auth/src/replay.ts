import { createExpiring } from "./expiring.ts";

/**
 * Remembers what may be used once. Shared by every instance, atomic (S3); `@wardline/smart-auth` waits 50 ms for it and
 * refuses the request (503) when it rejects.
 */
export interface ReplayStore {
  /**
   * True when `key` was not there, and is now: one of two calls at once gets true. Rejects when it cannot tell.
   *
   * @param key at most 64 characters of base64url
   * @param expiresAt seconds since the epoch; may be forgotten from then on, not before
   */
  add(key: string, expiresAt: number): Promise<boolean>;
}

export interface MemoryReplayStoreOptions {
  /** Keys at once. Default 100000. */
  readonly limit?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const DEFAULT_LIMIT = 100_000;

/**
 * A replay store for one process. Full of keys that still count, it rejects: forgetting one would let it be used again.
 *
 * Does NOT know what other instances have seen.
 */
export function createMemoryReplayStore(options: MemoryReplayStoreOptions = {}): ReplayStore {
  const { limit = DEFAULT_LIMIT, now = Date.now } = options;
  const keys = createExpiring<true>(limit);
  return {
    async add(key, until) {
      const nowSeconds = now() / 1000;
      if (keys.get(key, nowSeconds) === true) return false;
      keys.set(key, true, { until, nowSeconds });
      return true;
    },
  };
}
