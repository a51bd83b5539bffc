import fc from "fast-check";
import { expect, it } from "vitest";
import { instant } from "../src/instant.ts";

const YEARS_1_TO_9999 = { min: -62_135_596_800_000, max: 253_402_300_799_999 };

it("is written as Date does, whichever was written before", () => {
  const times = fc.array(fc.oneof(fc.integer(YEARS_1_TO_9999), fc.double({ ...YEARS_1_TO_9999, noNaN: true })));
  fc.assert(
    fc.property(times, (all) => {
      expect(all.map(instant)).toEqual(all.map((time) => new Date(time).toISOString()));
    }),
  );
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, 9e15])("refuses what is no time (%d)", (time) => {
  expect(() => instant(time)).toThrow(RangeError);
});
