import type { SendCommand } from "@wardline/policy-types";
import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Breaker, createBreaker } from "../src/breaker/index.ts";

/** Two instances with clocks an hour apart, and time that passes when told. */
function instances(sendCommand: SendCommand, name: string) {
  const clock = { ms: 0 };
  const open = (skewMs: number): Breaker =>
    createBreaker({
      name,
      minimumCalls: 3,
      openMs: 30_000,
      probes: 1,
      now: () => clock.ms + skewMs,
      shared: { sendCommand, everyMs: 50, deadlineMs: 1000 },
    });
  return { clock, one: open(0), two: open(3_600_000) };
}

const fail = (breaker: Breaker): Promise<unknown> =>
  breaker.execute(() => Promise.reject(new Error("down"))).catch(() => undefined);
const succeed = (breaker: Breaker): Promise<unknown> => breaker.execute(() => Promise.resolve("well"));

describeWithRedis("a breaker that shares its state", () => {
  let redis: RedisServer;
  let client: ReturnType<typeof createClient>;
  const sendCommand: SendCommand = (...args) => client.sendCommand(args);
  beforeAll(async () => {
    redis = await startRedis();
    client = createClient({ url: redis.url, socket: { reconnectStrategy: 50 } });
    client.on("error", () => undefined);
    await client.connect();
  });
  afterAll(() => client.destroy());

  it("opens the others, whatever their clocks say, and closes for all", async () => {
    const { clock, one, two } = instances(sendCommand, "records");
    for (let n = 0; n < 3; n++) await fail(one);
    expect(one.state().state).toBe("open");
    await expect
      .poll(() => {
        clock.ms += 50;
        return two.state().state;
      })
      .toBe("open");
    expect(two.state().retryAfterSeconds).toBeLessThanOrEqual(30);
    expect(two.state().totals.opened).toBe(0);
    clock.ms += 30_000;
    await succeed(two);
    await succeed(one);
    expect([one.state().state, two.state().state]).toEqual(["closed", "closed"]);
    await expect.poll(() => client.keys("*")).toEqual([]);
  });

  it("tells nobody about another upstream, and keeps no name in clear (S8)", async () => {
    const { one } = instances(sendCommand, "st-marys");
    const other = instances(sendCommand, "elsewhere");
    for (let n = 0; n < 3; n++) await fail(one);
    await expect.poll(() => client.keys("*")).toHaveLength(1);
    expect((await client.keys("*")).join()).not.toMatch(/marys/);
    expect(await client.pTTL(((await client.keys("*")) as string[])[0] as string)).toBeGreaterThan(0);
    await expect
      .poll(() => {
        other.clock.ms += 50;
        return other.two.state();
      })
      .toMatchObject({ state: "closed", shared: "up" });
  });

  it("F4: judges alone while Redis is frozen, makes nobody wait, and shares again without a restart", async () => {
    const { clock, one, two } = instances(sendCommand, "frozen");
    redis.freeze();
    for (let n = 0; n < 3; n++) await fail(one);
    clock.ms += 50;
    await succeed(two);
    expect([one.state().state, two.state().state]).toEqual(["open", "closed"]);
    await expect.poll(() => two.state().shared).toBe("down");
    redis.thaw();
    await expect
      .poll(() => {
        clock.ms += 50;
        return two.state().shared;
      })
      .toBe("up");
  });

  it("is killed and comes back: the same", async () => {
    const { clock, two } = instances(sendCommand, "killed");
    await redis.kill();
    clock.ms += 50;
    await succeed(two);
    await redis.restart();
    await expect
      .poll(() => {
        clock.ms += 30_000;
        return two.state().shared;
      })
      .toBe("up");
  });
});

describe("a Redis client that misbehaves", () => {
  it.each<[string, SendCommand]>([
    ["rejects", () => Promise.reject(new Error("down"))],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["answers nonsense", () => Promise.resolve("OK")],
    ["answers nothing, ever", () => new Promise(() => undefined)],
  ])("one that %s opens nothing", async (_what, sendCommand) => {
    const { clock, two } = instances(sendCommand, "records");
    for (let n = 0; n < 10; n++) {
      clock.ms += 50;
      await succeed(two);
    }
    expect(two.state().state).toBe("closed");
  });

  it("F1: one that never answers is not asked without end", async () => {
    let asked = 0;
    const silent: SendCommand = () => {
      asked += 1;
      return new Promise(() => undefined);
    };
    const { clock, two } = instances(silent, "records");
    for (let n = 0; n < 500; n++) {
      clock.ms += 50;
      await succeed(two);
    }
    expect(asked).toBeLessThanOrEqual(4);
  });
});
