import { listen } from "@wardline-tools/test-kit";
import express from "express";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { createBreaker } from "../src/breaker/index.ts";
import { connectionLimits } from "../src/connections/index.ts";
import { tieredThrottle } from "../src/index.ts";
import { registerThrottleMetrics } from "../src/metrics/index.ts";
import { reservedPools } from "../src/pools/index.ts";
import { createShedder } from "../src/shedding/index.ts";

function parts() {
  const pools = reservedPools({ capacity: 3, pools: { device: { reserved: 1, priority: 9 }, ordinary: {} } });
  const breakers = [createBreaker({ name: "records", minimumCalls: 1 }), createBreaker({ name: "claims" })];
  const connections = connectionLimits({ perAddress: 10 });
  const shedder = createShedder({ meter: { read: () => ({ delayMs: 0, heapShare: 0 }), close: () => undefined } });
  return { pools, breakers, connections, shedder };
}

describe("metrics", () => {
  it("are read by prom-client at the scrape, with the figures of that moment", async () => {
    const registry = new Registry();
    const { pools, breakers, connections, shedder } = parts();
    registerThrottleMetrics({ registry, pools, breakers, connections, shedder });
    const app = express();
    app.use(pools, (_req, res) => void res.json({}));
    const origin = await listen(app, {}, (server) => void connections.watch(server));
    for (let n = 0; n < 3; n++) await (await fetch(origin)).text();
    await breakers[0]?.execute(() => Promise.reject(new Error("down"))).catch(() => undefined);

    const text = await registry.metrics();
    for (const line of [
      "# TYPE wardline_throttle_decisions_total counter",
      'wardline_throttle_decisions_total{pool="ordinary",kind="permit",code=""} 3',
      'wardline_throttle_slots{pool="device",state="reserved"} 1',
      "# TYPE wardline_throttle_wait_seconds histogram",
      'wardline_throttle_wait_seconds_bucket{pool="ordinary",le="+Inf"} 3',
      'wardline_throttle_wait_seconds_count{pool="ordinary"} 3',
      'wardline_breaker_state{upstream="records",state="open"} 1',
      'wardline_breaker_state{upstream="claims",state="closed"} 1',
      'wardline_breaker_calls_total{upstream="records",outcome="failed"} 1',
      "wardline_shed_pressure 0",
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).toMatch(/^wardline_connections_open [1-9]$/m);
  });

  it("tell of each tier what was permitted and refused, over all middlewares that have it", async () => {
    const registry = new Registry();
    const windows = [{ name: "burst", limit: 2, windowSeconds: 600, by: "address" as const }];
    const throttles = [1, 2].map(() => tieredThrottle({ tiers: [{ name: "gold", windows, concurrency: 5 }] }));
    registerThrottleMetrics({ registry, throttles });
    for (const throttle of throttles) {
      const app = express();
      app.use(throttle, (_req, res) => void res.json({}));
      const origin = await listen(app);
      for (let n = 0; n < 3; n++) await (await fetch(origin)).text();
    }
    const lines = (await registry.metrics()).split("\n");
    for (const line of [
      'wardline_throttle_tier_decisions_total{tier="gold",kind="permit",code=""} 4',
      'wardline_throttle_tier_decisions_total{tier="gold",kind="deny",code="tiered-throttle/rate-exceeded"} 2',
      'wardline_throttle_tier_running{tier="gold"} 0',
      "wardline_throttle_store_down 0",
    ])
      expect(lines).toContain(line);
  });

  it("are understood in OpenMetrics too", async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    registerThrottleMetrics({ registry, ...parts() });
    for (let scrape = 0; scrape < 2; scrape++) {
      const text = await registry.metrics();
      expect(text).toContain('wardline_breaker_calls_total{upstream="records",outcome="good"} 0');
      expect(text).not.toContain("_total_total");
    }
  });

  it("A14: hold nothing of a request, and as many series after a flood of names as before", async () => {
    const registry = new Registry();
    const { pools } = parts();
    registerThrottleMetrics({ registry, pools });
    const app = express();
    app.use(pools, (_req, res) => void res.json({}));
    const origin = await listen(app);
    await (await fetch(origin)).text();
    const before = (await registry.metrics()).split("\n").length;
    for (let n = 0; n < 30; n++)
      await (await fetch(`${origin}/Patient/secret-${n}`, { headers: { "x-zone": `z${n}` } })).text();
    const text = await registry.metrics();
    expect(text.split("\n").length).toBe(before);
    expect(text).not.toContain("secret");
  });

  it("two registries do not meet, and one takes no name twice", () => {
    const { pools } = parts();
    const registry = new Registry();
    registerThrottleMetrics({ registry, pools });
    registerThrottleMetrics({ registry: new Registry(), pools });
    expect(() => registerThrottleMetrics({ registry, pools })).toThrow("already been registered");
  });

  it("registers what it is given and no more", async () => {
    const registry = new Registry();
    registerThrottleMetrics({ registry });
    expect((await registry.metrics()).trim()).toBe("");
  });
});
