import { describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { expect, it, onTestFinished } from "vitest";
import { withinDeadline } from "../../src/deadline.ts";
import { connect } from "../support/redis.ts";

it("F1: a store that hangs is given up, and its late answer changes nothing", async () => {
  let answer: (() => void) | undefined;
  const asked = withinDeadline(
    5,
    () =>
      new Promise<string>((resolve) => {
        answer = () => resolve("late");
      }),
  );
  await expect(asked).rejects.toMatchObject({ code: "tiered-throttle/store-unavailable", retryable: false });
  answer?.();
});

describeWithRedis("F1: the deadline", () => {
  it("does not hold a pause of this process against the store", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const send = await connect(redis.url);
    const asked = withinDeadline(20, () => send("PING"));
    await new Promise((resolve) => setImmediate(resolve));
    // Redis answers meanwhile, and this process stands still past the deadline.
    const until = performance.now() + 100;
    while (performance.now() < until);
    expect(await asked).toBe("PONG");
  });
});
