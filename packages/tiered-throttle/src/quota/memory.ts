/** What one owner has used of a quota in its period. */
export interface QuotaCount {
  used: number;
  /** What the period began with besides the quota's own limit. */
  readonly carried: number;
  /** Milliseconds since the epoch at which the period ends. */
  readonly resetAt: number;
  readonly lengthMs: number;
  /** Until then this count says what is carried into the next period. */
  readonly forgetAt: number;
}

/** Where the quotas that this process counts are remembered. */
export interface QuotaMemory {
  /**
   * The counts of one quota by the hash of their owner, in the order in which they are forgotten. Whoever asks for the same
   * quota gets the same map: it goes on when its limit changes.
   */
  readonly countsOf: (tier: string, quota: string, by: string) => Map<string, QuotaCount>;
  /** Something was counted. Costs the request nothing but this. */
  readonly changed: () => void;
}
