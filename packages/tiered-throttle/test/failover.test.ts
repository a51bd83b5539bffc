import { describe, expect, it } from "vitest";
import { type Count, countingOf } from "../src/counting.ts";
import { StoreBreaker } from "../src/failover.ts";
import type { TieredThrottleOptions } from "../src/index.ts";
import { parseThrottle } from "../src/options.ts";

const W = { name: "w", limit: 10, windowSeconds: 60, by: "client" } as const;
const down = (): Promise<never> => Promise.reject(new Error("down"));

function countOf(options: TieredThrottleOptions): Count {
  const parsed = parseThrottle({ now: () => Date.parse("2026-05-05T12:00:00Z"), ...options });
  const [tier] = parsed.tiers;
  if (tier === undefined) throw new Error("there is one");
  return countingOf(parsed).countOf(tier);
}

describe("F5: the breaker before a store", () => {
  it("lets one request ask per interval, and an answer to an older question proves nothing", () => {
    let now = 1000;
    const states: string[] = [];
    const breaker = new StoreBreaker({ retryMs: 100, now: () => now, onStoreState: (state) => states.push(state) });
    expect(breaker.mayAsk(now)).toBe(true);
    breaker.failed();
    breaker.succeeded(999);
    expect([breaker.state, breaker.mayAsk(1050)]).toEqual(["down", false]);
    now = 1100;
    expect([breaker.mayAsk(now), breaker.mayAsk(now)]).toEqual([true, false]);
    breaker.succeeded(1100);
    expect([breaker.state, breaker.mayAsk(now), states]).toEqual(["up", true, ["down", "up"]]);
  });
});

describe("F4: this process's share", () => {
  it("is limit and carry by the number of processes, and never nothing", async () => {
    const count = countOf({
      redis: down,
      expectedReplicas: 4,
      windows: [W, { ...W, name: "tiny", limit: 1, windowSeconds: 1 }],
      quotas: [{ name: "q", limit: 100, per: "day", carry: 10 }],
    });
    const counted = await count(["a", "a", "o"], 1);
    expect(counted.kind === "taken" && counted.taken.counts.map(({ limit }) => limit)).toEqual([2, 1, 27]);
    expect(counted).toMatchObject({ kind: "taken", by: "process-share", taken: { admitted: true } });
  });
});

describe("who counts in Redis", () => {
  const commands = async (options: TieredThrottleOptions): Promise<string[]> => {
    const sent: string[] = [];
    const count = countOf({
      redis: (...args) => {
        sent.push(args.slice(0, 1).concat(args.slice(2, 3)).join(" "));
        return down();
      },
      ...options,
    });
    await count(["a", "a"], 1);
    return sent;
  };

  it("one window that everything costs one: rate-limit-redis; anything else: one script with all keys", async () => {
    expect(await commands({ windows: [W] })).toEqual(["EVALSHA 1"]);
    expect(await commands({ windows: [W, { ...W, name: "v", by: "user" }] })).toEqual(["EVALSHA 2"]);
  });

  it("a window that something costs more is our script's, by the tier's name", async () => {
    const keysOf = async (costs: object): Promise<string[]> => {
      const keys: string[] = [];
      const redis = (...args: string[]): Promise<never> => {
        keys.push(args[3] ?? "");
        return down();
      };
      await countOf({ redis, windows: [W], ...costs })(["a"], 1);
      return keys;
    };
    expect(await keysOf({})).toEqual(["wardline:throttle:tier:w:60000:a"]);
    expect(await keysOf({ costs: { bulk: 5 } })).toEqual(["wardline:throttle:{tier:a}:w:60000:a"]);
  });
});

it("F14: one window in a store is not given back: what is over its limit ends with it", async () => {
  const calls: string[] = [];
  const count = countOf({
    windows: [W],
    store: () => ({
      increment: () => {
        calls.push("increment");
        return { totalHits: 11, resetTime: undefined };
      },
      decrement: () => void calls.push("decrement"),
      resetKey: () => undefined,
    }),
  });
  expect(await count(["a"], 1)).toMatchObject({ taken: { admitted: false, full: [0], counts: [{ remaining: 0 }] } });
  expect(calls).toEqual(["increment"]);
});
