import { describe, expect, it } from "vitest";
import { Pace } from "../src/proxy/pace.ts";

describe("F1: how quickly a body must come", () => {
  it("is looked at when the time an upstream may be silent is over", () => {
    const pace = new Pace(1000, 0);
    expect(pace.isTooSlow(1, 999)).toBe(false);
    expect(pace.isTooSlow(1, 1000)).toBe(true);
  });

  it("is a KiB in that time, and in each that follows", () => {
    const pace = new Pace(1000, 0);
    expect(pace.isTooSlow(1000, 10)).toBe(false);
    expect(pace.isTooSlow(24, 1000)).toBe(false);
    expect(pace.isTooSlow(1023, 2000)).toBe(true);
  });

  it("begins anew when nobody took anything", () => {
    const pace = new Pace(1000, 0);
    expect(pace.isTooSlow(5000, 10)).toBe(false);
    pace.restart(60_000);
    expect(pace.isTooSlow(1, 60_999)).toBe(false);
    expect(pace.isTooSlow(1, 61_000)).toBe(true);
  });
});
