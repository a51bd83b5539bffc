import { describeWithRedis, type RedisServer, startRedis } from "@wardline-tools/test-kit";
import { createClient } from "redis";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type AbuseMonitorHandler, type Alert, abuseMonitor, type MeasureChange } from "../src/index.ts";
import { AT, principal, record, stranger } from "./support/records.ts";

const KEY = new Uint8Array(16).fill(5);
const NOTE = { operator: "ops-1", because: "as agreed" };

describeWithRedis("several instances over Redis", () => {
  let redis: RedisServer;
  let client: ReturnType<typeof createClient>;
  const open: AbuseMonitorHandler[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    client = createClient({ url: redis.url, socket: { reconnectStrategy: 20 } });
    client.on("error", () => undefined);
    await client.connect();
  });
  beforeEach(async () => {
    await Promise.all(open.splice(0).map((monitor) => monitor.close()));
    await client.sendCommand(["FLUSHALL"]);
  });
  afterAll(async () => {
    await redis.restart();
    await Promise.all(open.map((monitor) => monitor.close()));
    client.destroy();
  });

  function instance(options: { readonly key?: Uint8Array; readonly now?: () => number } = {}) {
    const alerts: Alert[] = [];
    const changes: MeasureChange[] = [];
    const states: string[] = [];
    const monitor = abuseMonitor({
      key: KEY,
      now: () => AT,
      responses: { "token-guessing": { action: "block" }, "patient-enumeration": { action: "slow-down" } },
      onAlert: (alert) => alerts.push(alert),
      onMeasure: (change) => changes.push(change),
      onDegraded: ({ kind, code }) => states.push(`${kind} ${code}`),
      shared: { sendCommand: (...args) => client.sendCommand(args), intervalMs: 10, retryMs: 30, deadlineMs: 200 },
      ...options,
    });
    open.push(monitor);
    return { monitor, alerts, changes, states };
  }

  const guess = (n: number) =>
    stranger({ receivedAt: AT + n * 1000, problem: "smart-auth/token-invalid", peerAddress: "198.51.100.7" });
  const activeOf = ({ monitor }: ReturnType<typeof instance>) =>
    monitor.measures.list().filter(({ state }) => state === "active").length;
  const synced = async (...all: ReturnType<typeof instance>[]) => {
    // One turn of each, so that every instance stands at the head of the stream.
    for (const { monitor } of all) monitor.see(record({ principal: principal("nobody") }));
    await expect.poll(() => all.every(({ monitor }) => monitor.snapshot().sightings === all.length)).toBe(true);
  };

  it("find what no instance saw enough of alone; one of them tells it, all of them block", async () => {
    const [a, b, c] = [instance(), instance(), instance()];
    await synced(a, b, c);
    for (let n = 0; n < 42; n++) [a, b, c][n % 3]?.monitor.see(guess(n));
    await expect.poll(() => [activeOf(a), activeOf(b), activeOf(c)]).toEqual([1, 1, 1]);
    await expect.poll(() => [a, b, c].flatMap(({ alerts }) => alerts)).toHaveLength(1);
    expect([a, b, c].flatMap(({ changes }) => changes)).toHaveLength(1);
  });

  it("an operator's block and its override reach every instance", async () => {
    const [a, b] = [instance(), instance()];
    const pseudonym = a.monitor.pseudonymOf({ kind: "client", issuer: "https://as", name: "bad" });
    a.monitor.measures.impose({ kind: "client", pseudonym }, NOTE);
    await expect.poll(() => activeOf(b)).toBe(1);
    expect(b.monitor.measures.lift(`block/client/${pseudonym}`, NOTE)).toBe(true);
    await expect.poll(() => activeOf(a)).toBe(0);
    // Who comes later learns it too.
    const late = instance();
    await expect.poll(() => late.monitor.measures.list()).toMatchObject([{ state: "lifted", by: "operator" }]);
  });

  it("A14: nothing in Redis names anybody", async () => {
    const a = instance();
    const who = principal("dr-geheim", { clientId: "app-geheim" });
    a.monitor.see(
      record({ principal: who, resource: "Patient/p-geheim", patients: ["p-geheim"], peerAddress: "198.51.100.99" }),
    );
    const stream = "{wardline:abuse}:sightings";
    await expect.poll(() => client.sendCommand(["XLEN", stream])).toBe(1);
    const entries = JSON.stringify(await client.sendCommand(["XRANGE", stream, "-", "+"]));
    expect(entries).toContain('\\"subject\\":');
    expect(entries).not.toMatch(/geheim|198\.51|p-geheim/);
  });

  it("what was written without the key blocks nobody", async () => {
    const stranger = instance({ key: new Uint8Array(16).fill(6) });
    const ours = instance();
    const pseudonym = "00112233445566aa";
    stranger.monitor.measures.impose({ kind: "client", pseudonym }, NOTE);
    const forged = JSON.stringify(stranger.monitor.measures.list()[0]);
    await client.sendCommand(["HSET", "{wardline:abuse}:measures", `block/subject/${pseudonym}`, `AAAA.${forged}`]);
    await client.sendCommand(["INCR", "{wardline:abuse}:version"]);
    await client.sendCommand(["XADD", "{wardline:abuse}:sightings", "*", "i", "x", "s", "AAAA.[{}]"]);
    await expect.poll(() => client.sendCommand(["HLEN", "{wardline:abuse}:measures"])).toBe(0);
    expect(ours.monitor.measures.list()).toEqual([]);
  });

  it.each([
    ["killed", () => redis.kill()],
    ["frozen", async () => redis.freeze()],
  ])("Redis %s: each goes by what it sees, says so once, and finds the others again", async (how, breakIt) => {
    const [a, b] = [instance(), instance()];
    const pseudonym = a.monitor.pseudonymOf({ kind: "client", issuer: "https://as", name: "bad" });
    a.monitor.measures.impose({ kind: "client", pseudonym }, { ...NOTE, seconds: 600 });
    await expect.poll(() => activeOf(b)).toBe(1);
    await breakIt();
    await expect
      .poll(() => [a.states, b.states])
      .toEqual([["degraded abuse-monitor/store-down"], ["degraded abuse-monitor/store-down"]]);
    // Blocks hold, detection goes on, the alert is told by whoever sees it.
    expect(activeOf(b)).toBe(1);
    for (let n = 0; n < 40; n++) a.monitor.see(guess(n));
    await expect.poll(() => a.alerts).toHaveLength(1);
    expect(activeOf(a)).toBe(2);

    if (how === "killed") await redis.restart();
    else redis.thaw();
    await expect
      .poll(() => [a.states.at(-1), b.states.at(-1)])
      .toEqual(Array(2).fill("recovered abuse-monitor/store-down"));
    // What was imposed meanwhile reaches the other; a store that came back empty learns the rest.
    await expect.poll(() => activeOf(b)).toBe(2);
    await expect.poll(() => client.sendCommand(["HLEN", "{wardline:abuse}:measures"])).toBe(2);
    expect(a.states).toHaveLength(2);
  });

  it("F10: while Redis is away the queue is bounded and the oldest sightings are dropped", async () => {
    redis.freeze();
    const a = abuseMonitor({
      key: KEY,
      shared: {
        sendCommand: (...args) => client.sendCommand(args),
        intervalMs: 10,
        retryMs: 10_000,
        deadlineMs: 20,
        maxQueue: 100,
      },
    });
    open.push(a);
    await expect.poll(() => a.snapshot().shared?.state).toBe("down");
    for (let n = 0; n < 1000; n++) a.see(guess(n));
    const { waiting = 0, dropped = 0 } = a.snapshot().shared ?? {};
    expect(waiting).toBeLessThanOrEqual(100);
    expect(waiting + dropped).toBe(1000);
    redis.thaw();
  });

  it("an instance that starts without a file takes over what the others know, and reads on where they were", async () => {
    const a = instance();
    for (let n = 0; n < 39; n++) a.monitor.see(guess(n));
    const whom = { kind: "address", pseudonym: a.monitor.pseudonymOf({ kind: "address", name: "192.0.2.9" }) } as const;
    a.monitor.measures.impose(whom, NOTE);
    await copied();
    await a.monitor.close();
    const later = instance();
    later.monitor.see(guess(39));
    await expect.poll(() => later.alerts.map(({ pattern }) => pattern)).toEqual(["token-guessing"]);
    expect(later.monitor.measures.list().map(({ whom: one }) => one)).toContainEqual(whom);
  });

  it("a copy under another key, or with a piece of another copy, is taken for none", async () => {
    const a = instance({ key: new Uint8Array(16).fill(6) });
    for (let n = 0; n < 39; n++) a.monitor.see(guess(n));
    await copied();
    await a.monitor.close();
    const other = instance();
    other.monitor.see(guess(39));
    await expect.poll(() => other.monitor.snapshot().sightings).toBe(1);
    expect(other.monitor.snapshot().shared?.state).toBe("up");
    expect(other.alerts).toEqual([]);
  });

  it("F8: what is seen while the store is down at start is not waited with", async () => {
    const client = { sendCommand: () => Promise.reject(new Error("down")) };
    const alone = abuseMonitor({ key: KEY, now: () => AT, shared: { ...client, intervalMs: 10, retryMs: 30 } });
    open.push(alone);
    alone.see(guess(0));
    await expect.poll(() => alone.snapshot().sightings).toBe(1);
  });

  const copied = () => expect.poll(() => client.exists("{wardline:abuse}:history")).toBe(1);
});
