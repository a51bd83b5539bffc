import { describe, expect, it } from "vitest";
import { decideCount, decideFailures, decideRate, ratePolicyOf } from "../src/decide.ts";
import type { Counted } from "../src/failover.ts";
import type { LimitCount, Taken } from "../src/limits.ts";
import { authenticationFailures } from "../src/problems.ts";

const NOW = 1_000_000;
const LIMITS = [
  { name: "minute", kind: "window" },
  { name: "hour", kind: "window" },
  { name: "month", kind: "quota" },
] as const;
const policy = ratePolicyOf(LIMITS, "draft-10");
const count = (remaining: number, seconds: number): LimitCount => ({
  limit: 10,
  remaining,
  resetAt: NOW + seconds * 1000,
  lengthMs: 60_000,
});
const admitted = (...counts: LimitCount[]): Taken => ({ admitted: true, counts, full: [] });
const refused = (full: readonly number[], ...counts: LimitCount[]): Taken => ({ admitted: false, counts, full });

describe("a request that is let through", () => {
  it("says within what", () => {
    const decision = decideRate(policy, admitted(count(5, 1), count(6, 2), count(7, 3)), NOW);
    expect(decision).toMatchObject({ kind: "permit", because: ["within minute, hour, month"] });
  });

  it.each<[string, LimitCount[], string]>([
    ["the least left", [count(5, 1), count(3, 2), count(7, 3)], '"hour";r=3;t=2, "month";r=7;t=3'],
    ["the least left, wherever it stands", [count(5, 1), count(6, 2), count(1, 3)], '"month";r=1;t=3'],
    ["the first of all", [count(1, 1), count(6, 2), count(7, 3)], '"minute";r=1;t=1, "month";r=7;t=3'],
    [
      "of two alike the one that takes longer",
      [count(3, 1), count(3, 2), count(7, 3)],
      '"hour";r=3;t=2, "month";r=7;t=3',
    ],
    [
      "of two alike the longer, that comes first",
      [count(3, 9), count(3, 2), count(7, 3)],
      '"minute";r=3;t=9, "month";r=7;t=3',
    ],
    ["of two the same the first", [count(3, 2), count(3, 2), count(7, 3)], '"minute";r=3;t=2, "month";r=7;t=3'],
  ])("is told %s", (_what, counts, fields) => {
    const decision = decideRate(policy, admitted(...counts), NOW);
    expect(decision.kind === "permit" && decision.grant.headers["RateLimit"]).toBe(fields);
  });
});

describe("F14: a request that is refused", () => {
  it.each<[string, Taken, string, string, string]>([
    [
      "for a window",
      refused([0], count(0, 7), count(5, 2), count(7, 3)),
      "rate-exceeded",
      "7",
      "window minute is full",
    ],
    ["for a quota", refused([2], count(5, 7), count(5, 2), count(0, 9)), "quota-exceeded", "9", "quota month is full"],
    [
      "for two: the one that reopens last",
      refused([0, 1], count(0, 7), count(0, 8), count(7, 3)),
      "rate-exceeded",
      "8",
      "window hour is full",
    ],
    [
      "for two: whichever comes first",
      refused([0, 1], count(0, 8), count(0, 7), count(7, 3)),
      "rate-exceeded",
      "8",
      "window minute is full",
    ],
    [
      "for two that reopen together: the first",
      refused([1, 2], count(5, 9), count(0, 7), count(0, 7)),
      "rate-exceeded",
      "7",
      "window hour is full",
    ],
    [
      "not for one that has room and lasts longer",
      refused([1], count(5, 99), count(0, 7), count(7, 99)),
      "rate-exceeded",
      "7",
      "window hour is full",
    ],
  ])("%s", (_what, taken, code, wait, because) => {
    const decision = decideRate(policy, taken, NOW);
    expect(decision).toMatchObject({
      kind: "deny",
      because: [because],
      problem: { status: 429, code: `tiered-throttle/${code}` },
    });
    expect(decision.kind === "deny" && decision.problem.headers).toMatchObject({
      "Retry-After": wait,
      RateLimit: expect.stringMatching(new RegExp(`;r=0;t=${wait}`)) as string,
    });
  });

  it("waits until it may come again, and not a part of a second less", () => {
    const taken = refused([0], { ...count(0, 0), resetAt: NOW + 1 }, count(5, 2), count(5, 2));
    const decision = decideRate(policy, taken, NOW);
    expect(decision.kind === "deny" && decision.problem.headers?.["Retry-After"]).toBe("1");
  });
});

describe("F4, F6: counters that could not answer", () => {
  const asked = { now: NOW, retrySeconds: 5 };
  const decide = (counted: Counted, notes: readonly string[] = []) => decideCount(policy, asked, counted, notes);

  it("let nobody through", () => {
    expect(decide({ kind: "down" }, ["note"])).toEqual({
      kind: "deny",
      problem: expect.objectContaining({
        code: "tiered-throttle/store-unavailable",
        status: 503,
        headers: { "Retry-After": "5" },
      }) as object,
      because: ["counter store down", "note"],
    });
  });

  it("let through uncounted only where that was asked for, and say so", () => {
    expect(decide({ kind: "uncounted" }, ["note"])).toEqual({
      kind: "permit",
      grant: { headers: {} },
      because: ["counter store down: not counted", "note"],
    });
  });

  const taken = admitted(count(5, 1), count(6, 2), count(7, 3));
  it.each<["store" | "process" | "process-share", readonly string[], readonly string[]]>([
    ["store", [], []],
    ["process", [], []],
    ["process-share", [], ["counter store down: counted in this process"]],
    ["store", ["note"], ["note"]],
    ["process-share", ["note"], ["counter store down: counted in this process", "note"]],
  ])("counted by %s with notes %j", (by, notes, more) => {
    expect(decide({ kind: "taken", taken, by }, notes).because).toEqual(["within minute, hour, month", ...more]);
  });

  it("decide a refusal like any other", () => {
    const full = refused([0], count(0, 7), count(5, 2), count(7, 3));
    expect(decide({ kind: "taken", taken: full, by: "process-share" })).toMatchObject({ kind: "deny" });
  });
});

describe("S5: failed authentications", () => {
  it("are refused when there were too many, until their window ends", () => {
    const decision = decideFailures(refused([0], count(0, 7)), NOW, authenticationFailures);
    expect(decision).toMatchObject({
      kind: "deny",
      problem: { status: 429, headers: { "Retry-After": "7" } },
      because: ["too many failed authentications"],
    });
    expect(decideFailures(admitted(count(1, 7)), NOW, authenticationFailures)).toBeUndefined();
  });
});
