import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCalendar } from "../../src/index.ts";

const at = (text: string): number => Date.parse(text);
const iso = (time: number): string => new Date(time).toISOString();

describe("periods of a contract", () => {
  it.each<[string, "day" | "month", string, string, string, string]>([
    ["a day in UTC", "day", "UTC", "2026-03-01T12:00:00Z", "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["its first instant", "day", "UTC", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["its last", "day", "UTC", "2026-03-01T23:59:59.999Z", "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["a month", "month", "UTC", "2026-02-28T23:00:00Z", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"],
    ["December", "month", "UTC", "2026-12-31T23:00:00Z", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    ["a leap February", "month", "UTC", "2028-02-10T00:00:00Z", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"],
    [
      "east of UTC",
      "day",
      "Asia/Kolkata",
      "2026-03-01T20:00:00Z",
      "2026-03-01T18:30:00.000Z",
      "2026-03-02T18:30:00.000Z",
    ],
    [
      "west of UTC",
      "month",
      "Pacific/Honolulu",
      "2026-04-01T05:00:00Z",
      "2026-03-01T10:00:00.000Z",
      "2026-04-01T10:00:00.000Z",
    ],
    [
      "a day of 23 hours",
      "day",
      "America/New_York",
      "2026-03-08T12:00:00Z",
      "2026-03-08T05:00:00.000Z",
      "2026-03-09T04:00:00.000Z",
    ],
    [
      "a day of 25 hours",
      "day",
      "America/New_York",
      "2026-11-01T12:00:00Z",
      "2026-11-01T04:00:00.000Z",
      "2026-11-02T05:00:00.000Z",
    ],
    [
      "a month with a change",
      "month",
      "Europe/Berlin",
      "2026-03-15T00:00:00Z",
      "2026-02-28T23:00:00.000Z",
      "2026-03-31T22:00:00.000Z",
    ],
    // The clocks went from 00:00 to 01:00 that day.
    [
      "a day without midnight",
      "day",
      "America/Sao_Paulo",
      "2018-11-04T12:00:00Z",
      "2018-11-04T03:00:00.000Z",
      "2018-11-05T02:00:00.000Z",
    ],
    // Samoa crossed the date line: 30 December 2011 never was.
    [
      "the day after none",
      "day",
      "Pacific/Apia",
      "2011-12-30T12:00:00Z",
      "2011-12-30T10:00:00.000Z",
      "2011-12-31T10:00:00.000Z",
    ],
  ])("%s", (_what, unit, zone, now, start, end) => {
    const period = createCalendar(unit, zone).periodAt(at(now));
    expect([iso(period.start), iso(period.end)]).toEqual([start, end]);
  });

  const anyZone = fc.constantFrom(
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
  );
  const anyTime = fc.integer({ min: at("1990-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") });

  it("follow each other without a gap, hold the time they were asked for, and end the same whenever asked", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("day", "month"),
        anyZone,
        anyTime,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (unit, zone, now, part) => {
          const period = createCalendar(unit, zone).periodAt(now);
          expect(period.start).toBeLessThanOrEqual(now);
          expect(period.end).toBeGreaterThan(now);
          const again = period.start + Math.floor(part * (period.end - period.start));
          expect(createCalendar(unit, zone).periodAt(again)).toEqual(period);
          const calendar = createCalendar(unit, zone);
          const next = calendar.periodAt(period.end);
          expect(next.start).toBe(period.end);
          const starts = createCalendar(unit, zone).startsAround(now);
          expect([starts[2], starts[3]]).toEqual([period.start, period.end]);
          expect([...starts].sort((a, b) => a - b)).toEqual(starts);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("begin once, although the clocks went from a minute past midnight back to the day before", () => {
    const starts = new Set<number>();
    for (let now = at("2010-11-07T01:00:00Z"); now < at("2010-11-07T05:00:00Z"); now += 20_000) {
      const { start, end } = createCalendar("day", "America/St_Johns").periodAt(now);
      expect([start <= now, now < end]).toEqual([true, true]);
      starts.add(start);
    }
    expect(starts.size).toBe(2);
  });

  it("refuse a zone nobody knows", () => {
    expect(() => createCalendar("day", "Atlantis/Capital")).toThrow(RangeError);
  });
});
