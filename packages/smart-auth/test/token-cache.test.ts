import fc from "fast-check";
import { expect, it } from "vitest";
import { createTokenCache } from "../src/token-cache.ts";

it("S8: remembers the last 10,000 tokens that were asked for, and no more than twice as many", () => {
  const cache = createTokenCache<number>();
  for (let token = 0; token < 50_000; token++) {
    cache.set(`t${token}`, token, 1);
    expect(cache.get("t0", 0)).toBe(0);
  }
  const lastFirst = Array.from({ length: 50_000 }, (_, age) => `t${49_999 - age}`);
  const known = lastFirst.map((token) => cache.get(token, 0) !== undefined);
  expect(known.slice(0, 9_999)).not.toContain(false);
  expect(known.filter(Boolean).length).toBeLessThanOrEqual(20_000);
});

it("S8: gives what was found out last, and nothing from the second on at which it ends", () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    until: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
    wait: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = createTokenCache<number>();
      const model = new Map<string, { value: number; until: number }>();
      let now = 0;
      for (const [value, { key, until, wait }] of steps.entries()) {
        now += wait;
        if (until !== undefined) {
          cache.set(key, value, until);
          model.set(key, { value, until });
        }
        const expected = model.get(key);
        expect(cache.get(key, now)).toBe(expected !== undefined && now < expected.until ? expected.value : undefined);
      }
    }),
  );
});
