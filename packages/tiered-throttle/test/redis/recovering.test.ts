import { createHash } from "node:crypto";
import type { SendCommand } from "@wardline/policy-types";
import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { RedisStore, type SendCommandFn } from "rate-limit-redis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recoveringSendCommand } from "../../src/index.ts";
import { connect } from "../support/redis.ts";

const SCRIPT = "return 1";
const SHA1 = createHash("sha1").update(SCRIPT).digest("hex");

describe("F3: recoveringSendCommand", () => {
  function recorded(answer: (...args: string[]) => Promise<unknown>): { send: SendCommandFn; sent: string[][] } {
    const sent: string[][] = [];
    const send = recoveringSendCommand((...args) => {
      sent.push(args);
      return answer(...args);
    });
    return { send, sent };
  }
  const noScript = (): Promise<never> => Promise.reject(new Error("NOSCRIPT No matching script. Please use EVAL."));

  it("names a script without asking anybody", async () => {
    const { send, sent } = recorded(noScript);
    expect([await send("SCRIPT", "LOAD", SCRIPT), await send("script", "load", SCRIPT)]).toEqual([SHA1, SHA1]);
    expect(sent).toEqual([]);
  });

  it("sends a script whole, with its keys, when Redis does not know it", async () => {
    const { send, sent } = recorded((command) => (command === "EVAL" ? Promise.resolve(7) : noScript()));
    await send("SCRIPT", "LOAD", SCRIPT);
    expect(await send("EVALSHA", SHA1, "1", "key", "60")).toBe(7);
    expect(sent).toEqual([
      ["EVALSHA", SHA1, "1", "key", "60"],
      ["EVAL", SCRIPT, "1", "key", "60"],
    ]);
  });

  it.each([
    ["a script it was never told", "EVALSHA", "0".repeat(40), "NOSCRIPT No matching script"],
    ["another error", "EVALSHA", SHA1, "OOM command not allowed"],
    ["an error that only mentions it", "EVALSHA", SHA1, "ERR NOSCRIPT"],
    ["another command", "DECR", SHA1, "NOSCRIPT No matching script"],
  ])("F2: sends once and passes on the error: %s", async (_what, command, first, message) => {
    const { send, sent } = recorded(() => Promise.reject(new Error(message)));
    await send("SCRIPT", "LOAD", SCRIPT);
    await expect(send(command, first, "1", "key")).rejects.toThrow(message);
    expect(sent).toHaveLength(1);
  });
});

describeWithRedis("F3: a store of rate-limit-redis made while Redis is down", () => {
  let redis: RedisServer;
  let send: SendCommand;
  beforeAll(async () => {
    redis = await startRedis();
    send = await connect(redis.url);
  });
  // A hook registered while another runs is not heard of.
  afterAll(() => redis.kill());
  beforeEach(async () => {
    await redis.kill();
  });
  const storeOf = (sendCommand: SendCommandFn): RedisStore => {
    const store = new RedisStore({ sendCommand });
    // What a store does not await nobody hears.
    store.init({ windowMs: 60_000 } as never).catch(() => undefined);
    return store;
  };
  const back = async (): Promise<void> => {
    await redis.restart();
    await expect.poll(() => send("PING").catch(String)).toBe("PONG");
  };

  it("counts once Redis is back", async () => {
    const store = storeOf(recoveringSendCommand(send));
    await expect(store.increment("a")).rejects.toThrow();
    await back();
    expect([(await store.increment("a")).totalHits, (await store.increment("a")).totalHits]).toEqual([1, 2]);
    await redis.restart();
    await expect.poll(() => send("PING").catch(String)).toBe("PONG");
    expect((await store.increment("a")).totalHits).toBe(1);
  });

  it("does not without this wrapper: when that changes, the wrapper can go", async () => {
    const store = storeOf(send as SendCommandFn);
    await expect(store.increment("a")).rejects.toThrow();
    await back();
    await expect(store.increment("a")).rejects.toThrow();
  });
});
