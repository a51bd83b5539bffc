import type { SendCommand } from "@wardline/policy-types";
import { describeWithRedis, freePort, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { createCluster } from "redis";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { countingOf } from "../../src/counting.ts";
import { type Limit, RedisCounters } from "../../src/index.ts";
import { limitOfQuota, limitOfWindow } from "../../src/limits.ts";
import { parseThrottle } from "../../src/options.ts";
import { connect } from "../support/redis.ts";

const SLOTS = 16_384;

describeWithRedis("Redis Cluster of three nodes", () => {
  let nodes: readonly RedisServer[] = [];
  // A hook registered while another runs is not heard of.
  afterAll(() => Promise.all(nodes.map((node) => node.kill())));
  let direct: readonly SendCommand[];
  let send: SendCommand;

  beforeAll(async () => {
    const busPorts = [await freePort(), await freePort(), await freePort()];
    nodes = await Promise.all(
      busPorts.map((bus) => startRedis(["--cluster-enabled", "yes", "--cluster-port", String(bus)])),
    );
    direct = await Promise.all(nodes.map(({ url }) => connect(url)));
    for (const [index, node] of direct.entries()) {
      const from = Math.floor((SLOTS * index) / 3);
      await node("CLUSTER", "ADDSLOTSRANGE", String(from), String(Math.floor((SLOTS * (index + 1)) / 3) - 1));
      if (index > 0)
        await direct[0]?.("CLUSTER", "MEET", "127.0.0.1", String(nodes[index]?.port), String(busPorts[index]));
    }
    for (const node of direct) {
      await vi.waitFor(
        async () => {
          expect(String(await node("CLUSTER", "INFO"))).toMatch(/cluster_state:ok[\s\S]*cluster_known_nodes:3/);
        },
        { timeout: 20_000, interval: 50 },
      );
    }
    const cluster = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
    cluster.on("error", () => undefined);
    await cluster.connect();
    afterAll(() => cluster.destroy());
    // As `SendCommand` says: the first key stands after the number of keys of an EVAL, else after the command.
    send = (...args) => cluster.sendCommand(args[0]?.startsWith("EVAL") ? args[3] : args[1], false, args);
  }, 30_000);

  const used = async (): Promise<number[]> => Promise.all(direct.map(async (node) => Number(await node("DBSIZE"))));

  const countersOf = (tier: string, limits: readonly Limit[]): RedisCounters =>
    new RedisCounters({ sendCommand: send, prefix: "t:", tier, limits, deadlineMs: 5000 });

  it("owners of one kind are spread over the nodes, each owner's limits together", async () => {
    const counters = countersOf("spread", [
      limitOfWindow({ name: "burst", limit: 2, windowSeconds: 600, by: "client" }),
      limitOfQuota({ name: "monthly", limit: 9, per: "month", by: "client" }),
    ]);
    const before = await used();
    for (let index = 0; index < 30; index += 1) {
      const owner = `app-${index}`;
      const admitted: boolean[] = [];
      for (let n = 0; n < 3; n += 1) admitted.push((await counters.take([owner, owner], Date.now(), 1)).admitted);
      expect(admitted).toEqual([true, true, false]);
    }
    const grown = (await used()).map((size, index) => size - (before[index] ?? 0));
    expect(grown.reduce((sum, size) => sum + size, 0)).toBe(60);
    for (const size of grown) expect(size).toBeGreaterThan(0);
  });

  it("owners of several kinds lie together, so that any of them can meet any other", async () => {
    const counters = countersOf("together", [
      limitOfWindow({ name: "burst", limit: 100, windowSeconds: 600, by: "user" }),
      limitOfQuota({ name: "monthly", limit: 20, per: "month", by: "organisation" }),
    ]);
    const asked = Array.from({ length: 60 }, (_, index) => counters.take([`user-${index % 7}`, "org"], Date.now(), 1));
    expect((await Promise.all(asked)).filter(({ admitted }) => admitted)).toHaveLength(20);
  });

  it("a plain window, counted by rate-limit-redis, finds its script on every node", async () => {
    const options = parseThrottle({
      windows: [{ name: "burst", limit: 2, windowSeconds: 600, by: "client" }],
      redis: send,
      storeDeadlineMs: 5000,
    });
    const [tier] = options.tiers;
    if (tier === undefined) throw new Error("there is one");
    const count = countingOf(options).countOf(tier);
    for (let index = 0; index < 20; index += 1) {
      const results: unknown[] = [];
      for (let n = 0; n < 3; n += 1) {
        const counted = await count([`app-${index}`], 1);
        results.push(counted.kind === "taken" && [counted.by, counted.taken.admitted]);
      }
      expect(results).toEqual([
        ["store", true],
        ["store", true],
        ["store", false],
      ]);
    }
  });
});
