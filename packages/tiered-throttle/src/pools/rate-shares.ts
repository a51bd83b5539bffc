/** `giveBack`: the request was not admitted after all (F14). */
export type RateTaken =
  | { readonly kind: "taken"; readonly giveBack: () => void }
  | { readonly kind: "none"; readonly retryMs: number };

export interface RateShares {
  take(pool: string, now: number): RateTaken;
}

interface Bucket {
  readonly perMs: number;
  readonly most: number;
  tokens: number;
}

/**
 * Shares a rate out: every pool has a bucket that fills at its reserved rate, and a common one fills with the rest. What
 * flows over a full bucket flows into the common one: only what its owner cannot use is lent, and the moment the owner takes
 * a token, the flow ends.
 */
export function createRateShares(
  perSecond: number,
  pools: readonly { readonly name: string; readonly reservedPerSecond: number }[],
): RateShares {
  const reserved = pools.reduce((sum, pool) => sum + pool.reservedPerSecond, 0);
  const own = new Map(pools.map((pool) => [pool.name, bucketOf(pool.reservedPerSecond)]));
  const common: Bucket = { ...bucketOf(perSecond - reserved), most: Math.max(1, perSecond) };
  let filledAt: number | undefined;

  return {
    take(pool, now) {
      fill(now);
      const bucket = own.get(pool);
      const source = bucket !== undefined && bucket.tokens >= 1 ? bucket : common;
      if (source.tokens < 1) return { kind: "none", retryMs: waitFor(bucket) };
      source.tokens -= 1;
      let charged = true;
      return {
        kind: "taken",
        giveBack: () => {
          if (charged) source.tokens = Math.min(source.most, source.tokens + 1);
          charged = false;
        },
      };
    },
  };

  function fill(now: number): void {
    const ms = filledAt === undefined ? 0 : Math.max(0, now - filledAt);
    filledAt = Math.max(filledAt ?? now, now);
    let flow = ms * common.perMs;
    for (const bucket of own.values()) {
      const filled = bucket.tokens + ms * bucket.perMs;
      bucket.tokens = Math.min(bucket.most, filled);
      flow += filled - bucket.tokens;
    }
    common.tokens = Math.min(common.most, common.tokens + flow);
  }

  function waitFor(bucket: Bucket | undefined): number {
    const perMs = Math.max(bucket?.perMs ?? 0, common.perMs);
    return perMs === 0 ? 1000 : 1 / perMs;
  }
}

/** Holds one second's worth. */
function bucketOf(perSecond: number): Bucket {
  const most = perSecond === 0 ? 0 : Math.max(1, perSecond);
  return { perMs: perSecond / 1000, most, tokens: most };
}
