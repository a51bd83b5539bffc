import { DependencyError } from "@wardline/policy-types";

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
  const keys = new Map<string, number>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  return {
    async add(key, expiresAt) {
      const seconds = now() / 1000;
      const known = keys.get(key);
      if (known !== undefined && seconds < known) return false;
      keys.delete(key);
      forgetExpired(seconds);
      if (keys.size >= limit)
        throw new DependencyError("smart-auth/replay-store-full", "the replay store is full", { retryable: true });
      keys.set(key, expiresAt);
      return true;
    },
  };

  /** The oldest few at each call; all of them at most once a second, when there is no room. */
  function forgetExpired(seconds: number): void {
    for (const [key, until] of keys) {
      if (seconds < until) break;
      keys.delete(key);
    }
    if (keys.size < limit || seconds - sweptAt < 1) return;
    sweptAt = seconds;
    for (const [key, until] of keys) if (seconds >= until) keys.delete(key);
  }
}
