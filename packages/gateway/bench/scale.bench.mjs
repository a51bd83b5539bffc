// What 100,000 requests per second ask of a Redis Cluster: processor time of Redis for one script, and how the keys the
// throttle really writes fall on the slots of shards. `--quick` only checks that it runs.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { RedisCounters } from "@wardline/tiered-throttle";
import { createClient } from "redis";
import { unlessQuick } from "../../../scripts/quick.mjs";

const REDIS = "redis-server";
const TARGET = 100_000;
const CALLS = unlessQuick(20_000, 200);
const CLIENTS = 10_000;
const SLOTS = 16_384;
/** A shard is planned to be busy for so much of its one thread. */
const BUSY = 0.6;

const windowBy = (name, by, seconds) => ({ kind: "window", name, by, limit: 1e9, windowMs: seconds * 1000 });
const TIERS = {
  "one window, by client": [windowBy("burst", "client", 60)],
  "two windows, by client": [windowBy("burst", "client", 60), windowBy("day", "client", 86_400)],
  "user, client, organisation": [
    windowBy("burst", "user", 60),
    windowBy("hour", "client", 3600),
    windowBy("day", "organisation", 86_400),
  ],
};

if (spawnSync(REDIS, ["--version"]).status !== 0) {
  console.log("redis-server is not installed: nothing was measured");
} else {
  await measure();
}

async function measure() {
  const { client, stop } = await startRedis();
  console.log(
    `${"tier".padEnd(30)}${"us of Redis".padStart(14)}${"scripts/s a shard".padStart(20)}${"busiest shard of 8, 16, 32: share of the load; for 100,000/s".padStart(66)}`,
  );
  for (const [name, limits] of Object.entries(TIERS)) {
    const micros = await timeOf(client, limits);
    const perShard = (1e6 / micros) * BUSY;
    const cells = [8, 16, 32].map((shards) => {
      const busiest = busiestShare(limits, shards);
      return `${(busiest * 100).toFixed(1)} % ${busiest * TARGET <= perShard ? "fits" : "does not fit"}`;
    });
    console.log(
      name.padEnd(30) +
        micros.toFixed(1).padStart(14) +
        Math.round(perShard).toString().padStart(20) +
        cells.join(", ").padStart(66),
    );
  }
  await stop();
}

/** Processor time of Redis's one thread for one script, network and all: what others do to this machine is not in it. */
async function timeOf(client, limits) {
  const counters = countersOf(limits, (...command) => client.sendCommand(command));
  await Promise.all(Array.from({ length: 100 }, (_, index) => take(counters, limits, index)));
  const before = await usedSeconds(client);
  for (let sent = 0; sent < CALLS; sent += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => take(counters, limits, sent + index)));
  }
  return (((await usedSeconds(client)) - before) * 1e6) / CALLS;
}

async function usedSeconds(client) {
  const text = String(await client.sendCommand(["INFO", "cpu"]));
  const used = ["sys", "user"].map((kind) =>
    Number(new RegExp(`used_cpu_${kind}_main_thread:([\\d.]+)`).exec(text)?.[1]),
  );
  return used[0] + used[1];
}

/** Clients ask as their rank falls (Zipf, exponent 0.8); what the busiest of so many shards gets of all requests. */
function busiestShare(limits, shards) {
  const loads = new Array(shards).fill(0);
  let slot = 0;
  const counters = countersOf(limits, (_name, _sha, _count, key) => {
    slot = slotOf(key);
    return Promise.reject(new Error("only the key was wanted"));
  });
  let all = 0;
  for (let index = 0; index < CLIENTS; index++) {
    void take(counters, limits, index).catch(() => undefined);
    const weight = 1 / (index + 1) ** 0.8;
    loads[Math.floor((slot * shards) / SLOTS)] += weight;
    all += weight;
  }
  return Math.max(...loads) / all;
}

function countersOf(limits, sendCommand) {
  return new RedisCounters({ sendCommand, prefix: "bench:", tier: "apps", limits, deadlineMs: 60_000 });
}

function take(counters, limits, index) {
  const owners = limits.map(({ by }) => `${by}-${index % CLIENTS}`);
  return counters.take(owners, Date.now(), 1);
}

/** CRC16 (XMODEM) of the hash tag. https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
function slotOf(key) {
  const tag = /\{(.+?)\}/.exec(key)?.[1] ?? key;
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}

async function startRedis() {
  const port = await new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = probe.address();
      probe.close(() => resolve(free));
    });
  });
  const server = spawn(REDIS, ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
    stdio: "ignore",
  });
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on("error", () => undefined);
  await client.connect();
  return {
    client,
    stop: async () => {
      client.destroy();
      server.kill();
      await new Promise((resolve) => server.once("exit", resolve));
    },
  };
}
