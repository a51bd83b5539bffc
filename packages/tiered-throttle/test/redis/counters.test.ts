import type { SendCommand } from "@wardline/policy-types";
import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Limit, LocalCounters, RedisCounters, type RedisTier } from "../../src/index.ts";
import { limitOfQuota, limitOfWindow } from "../../src/limits.ts";
import { connect } from "../support/redis.ts";

const BURST = limitOfWindow({ name: "burst", limit: 3, windowSeconds: 60, by: "client" });
const HOURLY = limitOfWindow({ name: "hourly", limit: 5, windowSeconds: 3600, by: "user" });
const MONTHLY = limitOfQuota({ name: "monthly", limit: 6, per: "month", carry: 2 });

const countersOf = (sendCommand: SendCommand, limits: readonly Limit[], more: Partial<RedisTier> = {}): RedisCounters =>
  new RedisCounters({ sendCommand, prefix: "t:", tier: "tier", limits, deadlineMs: 5000, ...more });

describeWithRedis("RedisCounters", () => {
  let redis: RedisServer;
  let send: SendCommand;
  beforeAll(async () => {
    redis = await startRedis();
    send = await connect(redis.url);
  });
  // A hook registered while another runs is not heard of.
  afterAll(() => redis.kill());
  beforeEach(async () => {
    await send("FLUSHALL");
  });

  it("F14: one round trip, whatever the number of windows, and all or none", async () => {
    const sent: string[] = [];
    const counters = countersOf(
      (...args) => {
        sent.push(args[0] ?? "");
        return send(...args);
      },
      [BURST, HOURLY, MONTHLY],
    );
    const owners = ["app", "ann", "org"];
    await send("SCRIPT", "FLUSH");
    expect((await counters.take(owners, Date.now(), 1)).admitted).toBe(true);
    // Redis did not know the script: the one case in which something is sent twice.
    expect(sent.splice(0)).toEqual(["EVALSHA", "EVAL"]);
    const admitted: boolean[] = [];
    for (let index = 0; index < 5; index += 1) admitted.push((await counters.take(owners, Date.now(), 1)).admitted);
    expect(admitted).toEqual([true, true, false, false, false]);
    expect(sent).toEqual(Array<string>(5).fill("EVALSHA"));
    // The refusals of the burst window cost the others nothing.
    const others = await counters.take(["other-app", "ann", "org"], Date.now(), 1);
    expect(others.counts.map(({ remaining }) => remaining)).toEqual([2, 1, 4]);
  });

  it("tells which limits had no room, and what is left of each", async () => {
    const counters = countersOf(send, [BURST, HOURLY]);
    const now = 1_000_000;
    await counters.take(["app", "ann"], now, 2);
    const taken = await counters.take(["app", "ann"], now, 2);
    expect(taken).toMatchObject({ admitted: false, full: [0] });
    expect(taken.counts.map(({ limit, remaining, lengthMs }) => [limit, remaining, lengthMs])).toEqual([
      [3, 1, 60_000],
      [5, 3, 3_600_000],
    ]);
    for (const [index, { resetAt }] of taken.counts.entries()) {
      const length = [60_000, 3_600_000][index] ?? 0;
      expect(resetAt).toBeGreaterThan(now + length - 5000);
      expect(resetAt).toBeLessThanOrEqual(now + length);
    }
  });

  it("counts as this process's counters do", async () => {
    const anyStep = fc.record({
      owners: fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("x", "y"), fc.constantFrom("o", "p")),
      cost: fc.integer({ min: 1, max: 4 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        run += 1;
        const limits = [BURST, HOURLY, MONTHLY];
        const shared = countersOf(send, limits, { tier: `run-${run}` });
        const local = new LocalCounters(limits, 100);
        const now = Date.now();
        for (const { owners, cost } of steps) {
          const [a, b] = [await shared.take(owners, now, cost), local.take(owners, now, cost)];
          expect({ ...a, counts: a.counts.map(withoutTime) }).toEqual({ ...b, counts: b.counts.map(withoutTime) });
        }
      }),
      { numRuns: 60 },
    );
  });

  it("10,000 requests at once through two instances: exactly the limit is admitted, and none is lost", async () => {
    const limits = [
      limitOfWindow({ name: "w", limit: 3000, windowSeconds: 600, by: "client" }),
      limitOfQuota({ name: "q", limit: 1_000_000, per: "month" }),
    ];
    const second = await connect(redis.url);
    const instances = [send, second].map((one) => countersOf(one, limits, { deadlineMs: 60_000 }));
    const asked = Array.from({ length: 10_000 }, (_, index) =>
      (instances[index % 2] as RedisCounters).take(["app", "org"], Date.now(), 1),
    );
    const taken = await Promise.all(asked);
    expect(taken).toHaveLength(10_000);
    expect(taken.filter(({ admitted }) => admitted)).toHaveLength(3000);
    // Every charge is there, in the window and in the quota.
    const last = await (instances[0] as RedisCounters).take(["app", "org"], Date.now(), 1);
    expect(last.counts.map(({ remaining }) => remaining)).toEqual([0, 997_000]);
  });

  it.each([-86_400_000, -3_600_000, 0, 3_600_000, 86_400_000, 40 * 86_400_000])(
    "a clock that is %i ms off gets no other quota",
    async (skew) => {
      const limits = [BURST, limitOfQuota({ name: "daily", limit: 4, per: "day" })];
      const right = countersOf(send, limits);
      const wrong = countersOf(send, limits);
      const owners = ["app", "org"];
      await right.take(owners, Date.now(), 1);
      const off = await wrong.take(owners, Date.now() + skew, 1);
      const back = await right.take(owners, Date.now(), 1);
      expect([off, back].map(({ counts }) => counts.map(({ remaining }) => remaining))).toEqual([
        [1, 2],
        [0, 1],
      ]);
      // What is told is told in the asker's own time.
      expect((off.counts[0]?.resetAt ?? 0) - (Date.now() + skew)).toBeLessThanOrEqual(60_000);
      expect((off.counts[0]?.resetAt ?? 0) - (Date.now() + skew)).toBeGreaterThan(50_000);
    },
  );

  it("carries what was left into the next period, once", async () => {
    // Redis's clock cannot be moved, so periods around it are: half a minute each.
    const now = Date.now();
    const half = 30_000;
    const calendarFrom = (start: number): Extract<Limit, { kind: "quota" }>["calendar"] => ({
      periodAt: () => ({ start, end: start + half }),
      periodAfter: () => ({ start: start + half, end: start + 2 * half }),
      startsAround: () => [-2, -1, 0, 1, 2, 3].map((offset) => start + offset * half),
    });
    const quotaAt = (start: number): Limit => ({
      kind: "quota",
      name: "q",
      by: "organisation",
      limit: 10,
      carry: 4,
      calendar: calendarFrom(start),
    });
    const key = "t:{tier:org}:q:calendar:org";
    const read = async (): Promise<[number | undefined, number | undefined]> => {
      const [count] = (await countersOf(send, [quotaAt(now - 1000)]).take(["org"], now, 1)).counts;
      return [count?.limit, count?.remaining];
    };
    // 7 of the last period's 10 were used: 3 are carried.
    await send("HSET", key, "start", String(now - 1000 - half), "used", "7", "before", "10");
    expect(await read()).toEqual([13, 12]);
    // All were used, and some of what had been carried: nothing is.
    await send("HSET", key, "start", String(now - 1000 - half), "used", "13", "before", "0");
    expect(await read()).toEqual([10, 9]);
    // Nothing was used for two periods: as much as may be carried.
    await send("HSET", key, "start", String(now - 1000 - 2 * half), "used", "9", "before", "9");
    expect(await read()).toEqual([14, 13]);
    // A counter from after now (Redis's clock was set back) is the current one, and no fresh quota.
    await send("HSET", key, "start", String(now + half), "used", "13", "before", "10");
    expect(await read()).toEqual([10, 0]);
    expect(Number(await send("PTTL", key))).toBeGreaterThan(half);
  });

  it("keeps nothing for ever", async () => {
    const counters = countersOf(send, [BURST, HOURLY, MONTHLY, limitOfQuota({ name: "daily", limit: 9, per: "day" })]);
    await counters.take(["a", "b", "c", "d"], Date.now(), 1);
    const keys = (await send("KEYS", "*")) as string[];
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(Number(await send("PTTL", key))).toBeGreaterThan(0);
  });

  it("a counter without an expiry, whoever wrote it, is counted anew", async () => {
    await send("SET", "t:{tier:app}:burst:60000:app", "3");
    expect((await countersOf(send, [BURST]).take(["app"], Date.now(), 1)).counts[0]?.remaining).toBe(2);
  });

  describe("F2: rejects", () => {
    it("what Redis refuses, and has charged nothing by then", async () => {
      await send("SET", "t:{tier}:hourly:3600000:ann", "no number");
      await send("PEXPIRE", "t:{tier}:hourly:3600000:ann", "100000");
      const counters = countersOf(send, [BURST, HOURLY]);
      await expect(counters.take(["app", "ann"], Date.now(), 1)).rejects.toMatchObject({
        code: "tiered-throttle/store-unavailable",
        retryable: false,
      });
      expect(await send("EXISTS", "t:{tier}:burst:60000:app")).toBe(0);
    });

    it.each<[string, unknown]>([
      ["nothing", undefined],
      ["a word", "OK"],
      ["no numbers", [null, null]],
      ["too few numbers", [1, 5, 1, 2]],
      ["neither yes nor no", [7, 5, 1, 3, 2, 60_000, 60_000]],
      ["half a number", [1, 5, 1, 3, 1.5, 60_000, 60_000]],
      ["a clock that stays off", [-1, 5]],
    ])("an answer that is %s", async (_what, reply) => {
      const counters = countersOf(() => Promise.resolve(reply), [BURST]);
      await expect(counters.take(["app"], Date.now(), 1)).rejects.toMatchObject({
        code: "tiered-throttle/store-unavailable",
      });
    });

    it("a client that throws, and sends an error other than NOSCRIPT once", async () => {
      let asked = 0;
      const broken = countersOf(() => {
        asked += 1;
        throw new Error("ERR no");
      }, [BURST]);
      await expect(broken.take(["app"], Date.now(), 1)).rejects.toThrow("did not answer");
      expect(asked).toBe(1);
    });

    it("one that hangs, after our own deadline", async () => {
      const hanging = countersOf(() => new Promise(() => undefined), [BURST], { deadlineMs: 20 });
      await expect(hanging.take(["app"], Date.now(), 1)).rejects.toThrow("did not answer");
    });
  });
});

function withoutTime({ limit, remaining }: { limit: number; remaining: number }): object {
  return { limit, remaining };
}
