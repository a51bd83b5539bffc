import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCalendar, LocalCounters } from "../../src/index.ts";
import { limitOfQuota } from "../../src/limits.ts";

const ZONE = "America/New_York";
const HOUR = 3_600_000;

/** The contract, slowly: what was charged per day, and what each day allows. */
function allowedOn(
  day: number,
  used: ReadonlyMap<number, number>,
  limit: number,
  carry: number,
  starts: readonly number[],
): number {
  const before = starts[starts.indexOf(day) - 1];
  const usedBefore = before === undefined ? 0 : (used.get(before) ?? 0);
  return limit + Math.min(carry, Math.max(0, limit - usedBefore));
}

describe("quotas", () => {
  it("admit exactly what the contract says, day after day, over both changes of the clocks", () => {
    const calendar = createCalendar("day", ZONE);
    const anyStep = fc.record({ hours: fc.nat({ max: 30 }), cost: fc.integer({ min: 1, max: 3 }) });
    const anyStart = fc.constantFrom("2026-03-06T05:00:00Z", "2026-10-30T04:00:00Z", "2026-12-30T10:00:00Z");
    fc.assert(
      fc.property(
        anyStart,
        fc.array(anyStep, { maxLength: 50 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat({ max: 8 }),
        (start, steps, limit, carry) => {
          const counters = new LocalCounters(
            [limitOfQuota({ name: "daily", limit, per: "day", timeZone: ZONE, carry })],
            10,
          );
          const used = new Map<number, number>();
          let now = Date.parse(start);
          // Every day from before the first request on, so that a day without requests is a day too.
          const starts = [calendar.periodAt(now - 30 * HOUR).start];
          for (const step of steps) {
            now += step.hours * HOUR;
            while ((starts.at(-1) ?? 0) < calendar.periodAt(now).start)
              starts.push(calendar.periodAt(starts.at(-1) ?? 0).end);
            const { start: day, end } = calendar.periodAt(now);
            const cost = Math.min(limit, step.cost);
            const allowed = allowedOn(day, used, limit, carry, starts);
            const admitted = (used.get(day) ?? 0) + cost <= allowed;
            if (admitted) used.set(day, (used.get(day) ?? 0) + cost);
            const taken = counters.take(["org"], now, step.cost);
            expect(taken.admitted).toBe(admitted);
            expect(taken.counts).toEqual([
              { limit: allowed, remaining: allowed - (used.get(day) ?? 0), resetAt: end, lengthMs: end - day },
            ]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("what an organisation used is remembered for the next day, however many others come first", () => {
    const counters = new LocalCounters([limitOfQuota({ name: "q", limit: 2, per: "day", carry: 2 })], 100);
    const day = Date.parse("2026-05-01T12:00:00Z");
    for (let index = 0; index < 4; index += 1) counters.take(["busy"], day);
    for (let index = 0; index < 50; index += 1) counters.take([`other-${index}`], day + 24 * HOUR);
    expect(counters.take(["busy"], day + 24 * HOUR).counts[0]?.limit).toBe(2);
    expect(counters.take(["idle"], day + 24 * HOUR).counts[0]?.limit).toBe(4);
  });

  it("a flood of organisations carries nothing for those without a counter of their own", () => {
    const counters = new LocalCounters([limitOfQuota({ name: "q", limit: 2, per: "day", carry: 2 })], 1);
    const now = Date.parse("2026-05-01T12:00:00Z");
    const admitted = (key: string): boolean => counters.take([key], now).admitted;
    expect([1, 2, 3, 4, 5].map(() => admitted("own"))).toEqual([true, true, true, true, false]);
    expect(["x", "y", "z"].map(admitted)).toEqual([true, true, false]);
    expect(counters.size).toBe(1);
  });
});
