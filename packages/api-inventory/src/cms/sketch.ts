/** Counts in buckets whose bounds grow by a constant factor: any quantile is within 1 % of the true value. */
const GROWTH = 1.01 / 0.99;
const LOG_GROWTH = Math.log(GROWTH);
/** 0.1 ms to about three hours: at most 920 buckets. */
const LOWEST_MS = 0.1;
const HIGHEST_MS = 10_000_000;

export type Sketch = Map<number, number>;

export function bucketOf(milliseconds: number): number {
  const bounded = Math.min(HIGHEST_MS, Math.max(LOWEST_MS, milliseconds));
  return Number.isFinite(bounded) ? Math.ceil(Math.log(bounded) / LOG_GROWTH) : 0;
}

export function addTo(sketch: Sketch, bucket: number, count: number): void {
  sketch.set(bucket, (sketch.get(bucket) ?? 0) + count);
}

/** The value below which `share` of the counts lie; undefined when there are none. */
export function quantile(sketch: Sketch, share: number): number | undefined {
  const total = [...sketch.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (const [bucket, count] of [...sketch].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= rank) return (2 * GROWTH ** bucket) / (1 + GROWTH);
  }
  return undefined;
}
