import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideRate,
  type Limit,
  LocalCounters,
  type RateFields,
  type RatePolicy,
  ratePolicyOf,
  type ThrottleWindow,
} from "../src/index.ts";
import { limitOfWindow } from "../src/limits.ts";
import { parseStringList } from "./support/structured-fields.ts";

const policyOf = (
  windows: readonly ThrottleWindow[],
  fields: RateFields = "draft-10",
): RatePolicy & { limits: readonly Limit[] } => {
  const limits = windows.map(limitOfWindow);
  return { ...ratePolicyOf(limits, fields), limits };
};

const anySizes = fc.array(
  fc.record({ limit: fc.integer({ min: 1, max: 4 }), windowSeconds: fc.integer({ min: 1, max: 30 }) }),
  { minLength: 1, maxLength: 3 },
);

describe("RateLimit fields", () => {
  const anyName = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/);
  const anyWindows = fc.uniqueArray(
    fc.record({
      name: anyName,
      limit: fc.integer({ min: 1, max: 999_999_999_999_999 }),
      windowSeconds: fc.integer({ min: 1, max: 31_622_400 }),
      by: fc.constant<ThrottleWindow["by"]>("client"),
    }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  );

  it("parse as structured fields, and Retry-After is never before t", () => {
    fc.assert(
      fc.property(anyWindows, fc.boolean(), fc.double({ min: 0, max: 1e6, noNaN: true }), (windows, admitted, wait) => {
        const counts = windows.map(({ limit, windowSeconds }) => ({
          limit,
          remaining: admitted ? limit - 1 : 0,
          resetAt: 5000 + wait,
          lengthMs: windowSeconds * 1000,
        }));
        const taken = { admitted, counts, full: admitted ? [] : windows.map((_, index) => index) };
        const decision = decideRate(policyOf(windows), taken, 5000);
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
          ({ limit, windowSeconds }, index): ThrottleWindow => ({
            name: `w${index}`,
            limit,
            windowSeconds,
            by: "client",
          }),
        );
        const policy = policyOf(windows);
        const counters = new LocalCounters(policy.limits, 10);
        const keys = windows.map(() => "k");
        let now = 0;
        for (const step of steps) {
          now += step;
          const decision = decideRate(policy, counters.take(keys, now), now);
          if (decision.kind === "permit") continue;
          now += Number(decision.problem.headers?.["Retry-After"]) * 1000;
          expect(counters.take(keys, now).admitted).toBe(true);
        }
      }),
    );
  });
});

describe("RateLimit fields of older drafts", () => {
  const WINDOWS: ThrottleWindow[] = [
    { name: "burst", limit: 10, windowSeconds: 60, by: "client" },
    { name: "daily", limit: 100, windowSeconds: 86_400, by: "client" },
  ];
  const counts = [
    { limit: 10, remaining: 3, resetAt: 6500, lengthMs: 60_000 },
    { limit: 100, remaining: 50, resetAt: 9000, lengthMs: 86_400_000 },
  ];
  it.each<[RateFields, Record<string, string>]>([
    ["draft-10", { "RateLimit-Policy": '"burst";q=10;w=60, "daily";q=100;w=86400', RateLimit: '"burst";r=3;t=2' }],
    ["draft-7", { "RateLimit-Policy": "10;w=60, 100;w=86400", RateLimit: "limit=10, remaining=3, reset=2" }],
    [
      "draft-6",
      {
        "RateLimit-Policy": "10;w=60, 100;w=86400",
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "3",
        "RateLimit-Reset": "2",
      },
    ],
    ["off", {}],
  ])("%s", (fields, headers) => {
    const decision = decideRate(policyOf(WINDOWS, fields), { admitted: true, counts, full: [] }, 5000);
    expect(decision).toMatchObject({ kind: "permit", grant: { headers } });
    const refused = decideRate(policyOf(WINDOWS, fields), { admitted: false, counts, full: [1] }, 5000);
    expect(refused).toMatchObject({ kind: "deny", problem: { headers: { "Retry-After": "4" } } });
    if (fields === "off") expect(Object.keys((decision.kind === "permit" && decision.grant.headers) || {})).toEqual([]);
  });
});
