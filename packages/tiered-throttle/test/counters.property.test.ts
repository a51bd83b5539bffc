import type { WindowPolicy } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRate, LocalCounters, type WindowSize } from "../src/index.ts";
import { parseStringList } from "./support/structured-fields.ts";

interface Asked {
  readonly now: number;
  readonly keys: readonly string[];
}

const anySizes = fc.array(
  fc.record({ limit: fc.integer({ min: 1, max: 4 }), windowMs: fc.integer({ min: 1, max: 30 }) }),
  {
    minLength: 1,
    maxLength: 3,
  },
);
/** Requests in order of time, each with one of a few keys per window. */
const anyRequests = (keys: number): fc.Arbitrary<Asked[]> =>
  fc
    .array(
      fc.record({ after: fc.nat({ max: 12 }), keys: fc.tuple(...[0, 1, 2].map(() => fc.nat({ max: keys - 1 }))) }),
      {
        maxLength: 60,
      },
    )
    .map((steps) => {
      let now = 1000;
      return steps.map((step) => {
        now += step.after;
        return { now, keys: step.keys.map(String) };
      });
    });

/** The definition, slowly: a window begins with the first request charged to it and lasts `windowMs`. */
function usedNow(charged: readonly number[], { windowMs }: WindowSize, now: number): { used: number; start: number } {
  let start = Number.NEGATIVE_INFINITY;
  let used = 0;
  for (const time of [...charged, now]) {
    if (time >= start + windowMs) {
      start = time;
      used = 0;
    }
    used += 1;
  }
  return { used: used - 1, start };
}

describe("LocalCounters", () => {
  it("F14: admit, charge and tell exactly what the definition says", () => {
    fc.assert(
      fc.property(anySizes, anyRequests(3), (sizes, requests) => {
        const counters = new LocalCounters(sizes, 1000);
        const charged = new Map<string, number[]>();
        for (const { now, keys } of requests) {
          const own = sizes.map((_, index) => charged.get(`${index}/${keys[index]}`) ?? []);
          const before = sizes.map((size, index) => usedNow(own[index] ?? [], size, now));
          const admitted = sizes.every((size, index) => (before[index]?.used ?? 0) < size.limit);
          const taken = counters.take(keys, now);
          expect(taken.admitted).toBe(admitted);
          sizes.forEach((size, index) => {
            const used = (before[index]?.used ?? 0) + (admitted ? 1 : 0);
            expect(taken.counts[index]).toEqual({
              remaining: size.limit - used,
              resetAt: (before[index]?.start ?? now) + size.windowMs,
            });
            if (admitted) charged.set(`${index}/${keys[index]}`, [...(own[index] ?? []), now]);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never admit one key more than twice its quota within any window's length, however many other keys there are", () => {
    fc.assert(
      fc.property(anySizes, anyRequests(8), fc.integer({ min: 1, max: 4 }), (sizes, requests, maxKeys) => {
        const counters = new LocalCounters(sizes, maxKeys);
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
    const counters = new LocalCounters([{ limit: 2, windowMs: 1000 }], 3);
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
    const counters = new LocalCounters([{ limit: 1, windowMs: 10 }], 1000);
    for (let index = 0; index < 1000; index++) counters.take([String(index)], 0);
    for (let index = 0; index < 200; index++) counters.take([`later-${index}`], 20);
    expect(counters.size).toBeLessThanOrEqual(200);
  });

  it.each(["__proto__", "constructor", "toString", ""])("S8: %j is a key like any other", (key) => {
    const counters = new LocalCounters([{ limit: 1, windowMs: 10 }], 10);
    expect(counters.take([key], 0).admitted).toBe(true);
    expect(counters.take([key], 0).admitted).toBe(false);
  });
});

describe("RateLimit fields", () => {
  const anyName = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/);
  const anyWindows = fc.uniqueArray(
    fc.record({
      name: anyName,
      limit: fc.integer({ min: 1, max: 999_999_999_999_999 }),
      windowSeconds: fc.integer({ min: 1, max: 31_622_400 }),
      by: fc.constant<WindowPolicy["by"]>("client"),
    }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  );

  it("parse as structured fields, and Retry-After is never before t", () => {
    fc.assert(
      fc.property(anyWindows, fc.boolean(), fc.double({ min: 0, max: 1e6, noNaN: true }), (windows, admitted, wait) => {
        const counts = windows.map(({ limit }) => ({ remaining: admitted ? limit - 1 : 0, resetAt: 5000 + wait }));
        const decision = decideRate(windows, { admitted, counts }, 5000);
        const headers = decision.kind === "permit" ? decision.grant.headers : decision.problem.headers;
        expect(parseStringList(String(headers?.["RateLimit-Policy"]))).toEqual(
          windows.map(({ name, limit, windowSeconds }) => ({
            value: name,
            parameters: { q: limit, w: windowSeconds },
          })),
        );
        const [item, ...more] = parseStringList(String(headers?.["RateLimit"]));
        expect(more).toEqual([]);
        expect(windows.map(({ name }) => name)).toContain(item?.value);
        expect(item?.parameters["t"]).toBeGreaterThanOrEqual(wait / 1000);
        if (decision.kind === "deny") {
          expect(decision.problem).toMatchObject({
            code: "tiered-throttle/rate-exceeded",
            status: 429,
            issue: "throttled",
          });
          expect(headers?.["Retry-After"]).toMatch(/^[1-9]\d*$/);
          expect(Number(headers?.["Retry-After"])).toBeGreaterThanOrEqual(item?.parameters["t"] ?? Number.NaN);
        }
      }),
    );
  });

  it("a client that waits as told is let in again", () => {
    fc.assert(
      fc.property(anySizes, fc.array(fc.nat({ max: 3000 }), { maxLength: 30 }), (sizes, steps) => {
        const windows = sizes.map(
          ({ limit, windowMs }, index): WindowPolicy => ({
            name: `w${index}`,
            limit,
            windowSeconds: windowMs,
            by: "client",
          }),
        );
        const counters = new LocalCounters(
          windows.map(({ limit, windowSeconds }) => ({ limit, windowMs: windowSeconds * 1000 })),
          10,
        );
        const keys = windows.map(() => "k");
        let now = 0;
        for (const step of steps) {
          now += step;
          const decision = decideRate(windows, counters.take(keys, now), now);
          if (decision.kind === "permit") continue;
          now += Number(decision.problem.headers?.["Retry-After"]) * 1000;
          expect(counters.take(keys, now).admitted).toBe(true);
        }
      }),
    );
  });
});
