import { describe, expect, it } from "vitest";
import { prefersAsync } from "../../src/async/request.ts";

describe("RFC 7240 section 4.1: who would rather have the answer later", () => {
  it.each([
    ["respond-async", true],
    ["return=minimal, Respond-Async; wait=10", true],
    ['x="a, \\" b", respond-async', true],
    ['x="a, respond-async", y', false],
    ['x="a, respond-async', false],
    ["respond-asynchronously", false],
    ["", false],
    [undefined, false],
  ])("%j: %s", (prefer, expected) => {
    expect(prefersAsync(prefer)).toBe(expected);
  });

  // Tried again from each of its quotes, it would not come to an end within this test's time.
  it("S9: a quoted value that never ends is read once", { timeout: 15_000 }, () => {
    expect(prefersAsync('\\"'.repeat(524_288))).toBe(false);
  });
});
