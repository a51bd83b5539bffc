import type { PoolDecision } from "./options.ts";

/** Upper bounds of the wait histogram, in seconds. */
export const WAIT_BUCKETS: readonly number[] = Object.freeze([0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]);

export interface PoolTally {
  readonly admitted: number;
  /** By `Problem.code`. */
  readonly refused: Readonly<Record<string, number>>;
  /** Requests that waited up to the bound of the same index in `WAIT_BUCKETS`; the last: longer. */
  readonly waits: readonly number[];
  readonly waitedSeconds: number;
}

/** Counts decisions per pool, for metrics and the console. As many entries as there are pools and codes. */
export function createTally(names: readonly string[]): {
  count(decision: PoolDecision): void;
  of(pool: string): PoolTally;
} {
  const tallies = new Map(
    names.map((name) => [
      name,
      {
        admitted: 0,
        refused: new Map<string, number>(),
        waits: Array<number>(WAIT_BUCKETS.length + 1).fill(0),
        waitedSeconds: 0,
      },
    ]),
  );
  return {
    count({ pool, kind, code, waitedMs }) {
      const tally = tallies.get(pool);
      if (tally === undefined) return;
      if (kind === "deny") {
        if (code !== undefined) tally.refused.set(code, (tally.refused.get(code) ?? 0) + 1);
        return;
      }
      const seconds = waitedMs / 1000;
      const bucket = WAIT_BUCKETS.findIndex((bound) => seconds <= bound);
      const at = bucket < 0 ? WAIT_BUCKETS.length : bucket;
      tally.admitted += 1;
      tally.waits[at] = (tally.waits[at] ?? 0) + 1;
      tally.waitedSeconds += seconds;
    },
    of(pool) {
      const tally = tallies.get(pool);
      if (tally === undefined) throw new Error("no pool of this name");
      const { admitted, refused, waits, waitedSeconds } = tally;
      return { admitted, refused: Object.fromEntries(refused), waits: [...waits], waitedSeconds };
    },
  };
}
