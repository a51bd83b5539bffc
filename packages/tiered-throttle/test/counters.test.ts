import { describe, expect, it, vi } from "vitest";
import { LocalCounters } from "../src/counters.ts";
import { type Limit, limitOfQuota } from "../src/limits.ts";

const windowOf = (limit: number, windowMs = 10): Limit => ({
  kind: "window",
  name: "w",
  by: "client",
  limit,
  windowMs,
});
const quotaOf = (limit: number, carry = 0): Limit => limitOfQuota({ name: "q", limit, per: "day", carry });
const DAY = 86_400_000;
const NOON = Date.parse("2026-05-01T12:00:00Z");

describe("F14: what is remembered of contracts", () => {
  const memory = () => {
    const counts = new Map();
    return { counts, countsOf: vi.fn(() => counts), changed: vi.fn() };
  };

  it("is counted where the memory keeps it, and told with every charge", () => {
    const { counts, ...kept } = memory();
    const counters = new LocalCounters([quotaOf(2)], 10, { memory: kept, tier: "payer" });
    expect(kept.countsOf.mock.calls).toEqual([["payer", "q", "organisation"]]);
    for (let index = 0; index < 3; index++) counters.take(["o"], NOON);
    expect(counts.get("o")).toMatchObject({ used: 2 });
    expect(kept.changed).toHaveBeenCalledTimes(2);
    // Another that is given the same memory goes on.
    expect(new LocalCounters([quotaOf(2)], 10, { memory: kept, tier: "payer" }).take(["o"], NOON).admitted).toBe(false);
  });

  it("is nothing of windows", () => {
    const { counts, ...kept } = memory();
    new LocalCounters([windowOf(2)], 10, { memory: kept, tier: "payer" }).take(["o"], NOON);
    expect([kept.countsOf.mock.calls, kept.changed.mock.calls, counts.size]).toEqual([[], [], 0]);
  });

  it("is in this process alone where there is no memory", () => {
    expect(new LocalCounters([quotaOf(2)], 10).take(["o"], NOON).admitted).toBe(true);
  });
});

describe("S8: a bounded number of keys", () => {
  const admitted = (counters: LocalCounters, key: string, now = 0): boolean => counters.take([key], now).admitted;

  it("those without a counter of their own share one, whoever else asks in between", () => {
    const counters = new LocalCounters([windowOf(2)], 1);
    expect(["own", "x", "own", "y", "own", "z"].map((key) => admitted(counters, key))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("the shared one ends with its window, to the millisecond", () => {
    const counters = new LocalCounters([windowOf(1)], 1);
    expect([admitted(counters, "own"), admitted(counters, "x"), admitted(counters, "y", 9)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(admitted(counters, "y", 10)).toBe(true);
  });

  it("forgets a few for each new one, at the very end of their window", () => {
    const counters = new LocalCounters([windowOf(1)], 1000);
    for (let index = 0; index < 100; index++) admitted(counters, String(index));
    admitted(counters, "early", 9);
    expect(counters.size).toBe(101);
    admitted(counters, "later", 10);
    expect(counters.size).toBe(101 + 1 - 8);
  });

  it("remembers a period that may be carried for one more, and no other", () => {
    const sizes = [0, 1].map((carry) => {
      const counters = new LocalCounters([quotaOf(2, carry)], 10);
      return [NOON, NOON + DAY, NOON + 2 * DAY].map((now, index) => {
        counters.take([String(index)], now);
        return counters.size;
      });
    });
    expect(sizes).toEqual([
      [1, 1, 1],
      [1, 2, 2],
    ]);
  });
});
