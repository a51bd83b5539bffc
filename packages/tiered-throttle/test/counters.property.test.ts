import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Limit, LocalCounters } from "../src/index.ts";

type Size = Pick<Extract<Limit, { kind: "window" }>, "limit" | "windowMs">;
const windowsOf = (sizes: readonly Size[]): Limit[] =>
  sizes.map((size, index) => ({ kind: "window", name: `w${index}`, by: "client", ...size }));

interface Asked {
  readonly now: number;
  readonly keys: readonly string[];
  readonly cost: number;
}

const anySizes = fc.array(
  fc.record({ limit: fc.integer({ min: 1, max: 6 }), windowMs: fc.integer({ min: 1, max: 30 }) }),
  { minLength: 1, maxLength: 3 },
);
/** Requests in order of time, each with one of a few keys per window. */
const anyRequests = (keys: number): fc.Arbitrary<Asked[]> =>
  fc
    .array(
      fc.record({
        after: fc.nat({ max: 12 }),
        keys: fc.tuple(...[0, 1, 2].map(() => fc.nat({ max: keys - 1 }))),
        cost: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 60 },
    )
    .map((steps) => {
      let now = 1000;
      return steps.map((step) => {
        now += step.after;
        return { now, keys: step.keys.map(String), cost: step.cost };
      });
    });

interface Charged {
  readonly time: number;
  readonly cost: number;
}

/** The definition, slowly: a window begins with the first request charged to it and lasts `windowMs`. */
function usedNow(charged: readonly Charged[], { windowMs }: Size, now: number): { used: number; start: number } {
  let start = Number.NEGATIVE_INFINITY;
  let used = 0;
  for (const { time, cost } of [...charged, { time: now, cost: 0 }]) {
    if (time >= start + windowMs) {
      start = time;
      used = 0;
    }
    used += cost;
  }
  return { used, start };
}

describe("LocalCounters", () => {
  it("F14: admit, charge and tell exactly what the definition says", () => {
    fc.assert(
      fc.property(anySizes, anyRequests(3), (sizes, requests) => {
        const counters = new LocalCounters(windowsOf(sizes), 1000);
        const charged = new Map<string, Charged[]>();
        for (const { now, keys, cost } of requests) {
          const own = sizes.map((_, index) => charged.get(`${index}/${keys[index]}`) ?? []);
          const before = sizes.map((size, index) => usedNow(own[index] ?? [], size, now));
          // What costs more than a whole window costs the whole window.
          const costs = sizes.map(({ limit }) => Math.min(limit, cost));
          const full = sizes.flatMap(({ limit }, index) =>
            (before[index]?.used ?? 0) + (costs[index] ?? 0) > limit ? [index] : [],
          );
          const admitted = full.length === 0;
          const taken = counters.take(keys, now, cost);
          expect({ admitted: taken.admitted, full: taken.full }).toEqual({ admitted, full });
          sizes.forEach(({ limit, windowMs }, index) => {
            const used = (before[index]?.used ?? 0) + (admitted ? (costs[index] ?? 0) : 0);
            expect(taken.counts[index]).toEqual({
              limit,
              lengthMs: windowMs,
              remaining: limit - used,
              resetAt: (before[index]?.start ?? now) + windowMs,
            });
            if (admitted) {
              charged.set(`${index}/${keys[index]}`, [...(own[index] ?? []), { time: now, cost: costs[index] ?? 0 }]);
            }
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it("looking charges nothing and says what a request that costs one would hear", () => {
    fc.assert(
      fc.property(anySizes, anyRequests(3), (sizes, requests) => {
        const looked = new LocalCounters(windowsOf(sizes), 1000);
        const plain = new LocalCounters(windowsOf(sizes), 1000);
        for (const { now, keys } of requests) {
          const seen = looked.look(keys, now);
          const taken = looked.take(keys, now);
          expect(taken).toEqual(plain.take(keys, now));
          expect({ admitted: seen.admitted, full: seen.full }).toEqual({ admitted: taken.admitted, full: taken.full });
        }
      }),
    );
  });

  it("never admit one key more than twice its quota within any window's length, however many other keys there are", () => {
    fc.assert(
      fc.property(anySizes, anyRequests(8), fc.integer({ min: 1, max: 4 }), (sizes, requests, maxKeys) => {
        const counters = new LocalCounters(windowsOf(sizes), maxKeys);
        const admitted = requests.filter(({ keys, now }) => counters.take(keys, now).admitted);
        expect(counters.size).toBeLessThanOrEqual(maxKeys * sizes.length);
        sizes.forEach(({ limit, windowMs }, index) => {
          for (const { now, keys } of admitted) {
            const near = admitted.filter(
              (other) => other.keys[index] === keys[index] && other.now >= now && other.now < now + windowMs,
            );
            expect(near.length).toBeLessThanOrEqual(2 * limit);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it("a flood of new keys does not give anybody a fresh quota", () => {
    const counters = new LocalCounters(windowsOf([{ limit: 2, windowMs: 1000 }]), 3);
    expect([counters.take(["victim"], 0), counters.take(["victim"], 1)].map((taken) => taken.admitted)).toEqual([
      true,
      true,
    ]);
    const flood = Array.from({ length: 100 }, (_, index) => counters.take([`flood-${index}`], 2).admitted);
    // Two have counters of their own, and the others share one with the quota of one.
    expect(flood.filter(Boolean)).toHaveLength(4);
    expect(counters.take(["victim"], 999).admitted).toBe(false);
    expect(counters.take(["flood-0"], 999).admitted).toBe(true);
    expect(counters.take(["flood-99"], 1001).admitted).toBe(false);
    expect(counters.take(["victim"], 1003).admitted).toBe(true);
    expect(counters.take(["flood-99"], 1003).admitted).toBe(true);
    expect(counters.size).toBeLessThanOrEqual(3);
  });

  it("memory shrinks when a flood has passed", () => {
    const counters = new LocalCounters(windowsOf([{ limit: 1, windowMs: 10 }]), 1000);
    for (let index = 0; index < 1000; index++) counters.take([String(index)], 0);
    for (let index = 0; index < 200; index++) counters.take([`later-${index}`], 20);
    expect(counters.size).toBeLessThanOrEqual(200);
  });

  it.each(["__proto__", "constructor", "toString", ""])("S8: %j is a key like any other", (key) => {
    const counters = new LocalCounters(windowsOf([{ limit: 1, windowMs: 10 }]), 10);
    expect(counters.take([key], 0).admitted).toBe(true);
    expect(counters.take([key], 0).admitted).toBe(false);
  });
});
