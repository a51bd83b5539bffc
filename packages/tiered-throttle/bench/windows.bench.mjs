// What counting one request costs: in memory beside express-rate-limit and rate-limiter-flexible, and in Redis by the number of limits.
// Requests are as they come from smart-auth: context open, answer hooked, principal known. Rounds are short, alternate, and the best one counts,
// so that a busy machine shows less.
import { spawn, spawnSync } from "node:child_process";
import { IncomingMessage, ServerResponse } from "node:http";
import { createServer, Socket } from "node:net";
import { afterAnswer, contextOf } from "@wardline/policy-types/express";
import { RedisCounters, tieredThrottle } from "@wardline/tiered-throttle";
import express from "express";
import { rateLimit } from "express-rate-limit";
import { RedisStore } from "rate-limit-redis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterUnion } from "rate-limiter-flexible";
import { createClient } from "redis";
import { unlessQuick } from "../../../scripts/quick.mjs";

const SHORT_ROUNDS = unlessQuick(400);
const PER_SHORT_ROUND = 50;
const ROUNDS = unlessQuick(40);
const LIMIT = 1_000_000;
const app = express();

const principalOf = (index) => ({
  method: "jwt",
  issuer: "https://as.example.org",
  subject: `user-${index}`,
  clientId: `app-${index % 7}`,
  organisation: `org-${index % 3}`,
  roles: [],
  purposeOfUse: [],
  launch: {},
  scopes: [],
});
const known = Array.from({ length: 50 }, (_, index) => principalOf(index));

/** A request and its answer on a socket that goes nowhere. */
function exchange(index, principal) {
  const socket = new Socket();
  const req = Object.setPrototypeOf(new IncomingMessage(socket), app.request);
  Object.assign(req, { method: "GET", url: "/Patient/1", app });
  const res = Object.setPrototypeOf(new ServerResponse(req), app.response);
  Object.assign(res, { app, req });
  contextOf(req).principal = principal;
  contextOf(req).clientAddress = `192.0.2.${index % 50}`;
  afterAnswer(res, () => undefined);
  return { req, res };
}

const windows = [
  { name: "burst", limit: LIMIT, windowSeconds: 60, by: "user" },
  { name: "hourly", limit: LIMIT, windowSeconds: 3600, by: "client" },
  { name: "daily", limit: LIMIT, windowSeconds: 86_400, by: "organisation" },
];
const one = tieredThrottle({ windows: windows.slice(0, 1) });
const three = tieredThrottle({ windows, concurrency: LIMIT });
const quotas = [{ name: "contract", limit: LIMIT, per: "month", timeZone: "America/New_York" }];
const withQuota = tieredThrottle({ windows, quotas, concurrency: LIMIT });
const silent = tieredThrottle({ windows, concurrency: LIMIT, fields: "off" });
const limiter = (windowMs) =>
  rateLimit({
    windowMs,
    limit: LIMIT,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    validate: false,
    keyGenerator: (req) => contextOf(req).principal.subject,
  });
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000].map(limiter);
const flexible = [60, 3600, 86_400].map(
  (duration) => new RateLimiterMemory({ points: LIMIT, duration, keyPrefix: `f${duration}` }),
);
const union = new RateLimiterUnion(...flexible);

const pass = (middleware, { req, res }) => new Promise((resolve) => middleware(req, res, resolve));
const run = (middleware) => (pair) => pass(middleware, pair);
const inMemory = {
  "wardline, one window": run(one),
  "wardline, three windows and a slot": run(three),
  "wardline, three windows and a slot, no fields": run(silent),
  "wardline, three windows, a quota and a slot": run(withQuota),
  "wardline, three windows and a slot, every token new": run(three),
  "express-rate-limit, one window": run(minute),
  "express-rate-limit, three": async (pair) => {
    await pass(minute, pair);
    await pass(hour, pair);
    await pass(day, pair);
  },
  "rate-limiter-flexible, one, no fields": ({ req }) => flexible[0].consume(contextOf(req).principal.subject),
  "rate-limiter-flexible, union of three, no fields": ({ req }) => union.consume(contextOf(req).principal.subject),
};

const best = new Map();
const note = (name, microseconds) => best.set(name, Math.min(microseconds, best.get(name) ?? Number.POSITIVE_INFINITY));
// What takes a few microseconds is measured in rounds of less than a millisecond: a scheduler's turn is longer.
for (let round = 0; round < SHORT_ROUNDS; round++) {
  for (const [name, once] of Object.entries(inMemory)) {
    const pairs = Array.from({ length: PER_SHORT_ROUND }, (_, index) =>
      exchange(index, name.endsWith("new") ? principalOf(index) : known[index % known.length]),
    );
    const start = performance.now();
    for (const pair of pairs) await once(pair);
    note(name, ((performance.now() - start) * 1000) / PER_SHORT_ROUND);
    for (const { res } of pairs) res.emit("close");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
print("in memory", Object.keys(inMemory), "express-rate-limit, one window");
const cost = best.get("wardline, three windows and a slot");
console.log(`three windows and a slot: ${cost.toFixed(2)} us (wanted: under 5 us)`);

function print(title, names, yardstick) {
  console.log(`${title}, best of many rounds`);
  for (const name of names) {
    const microseconds = best.get(name);
    const ratio = (microseconds / best.get(yardstick)).toFixed(2);
    console.log(`  ${name.padEnd(52)} ${microseconds.toFixed(2).padStart(8)} us  ${ratio} x ${yardstick}`);
  }
}

if (spawnSync("redis-server", ["--version"]).status !== 0) {
  console.log("redis-server is not installed: nothing measured with Redis");
  process.exit(0);
}

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const found = server.address().port;
    server.close(() => resolve(found));
  });
});
const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
const redis = spawn("redis-server", args, { stdio: "ignore" });
process.once("exit", () => redis.kill());
const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 20 } });
client.on("error", () => undefined);
await client.connect();

let sent = 0;
const sendCommand = (...command) => {
  sent += 1;
  return client.sendCommand(command);
};
const countersOf = (count) =>
  new RedisCounters({
    sendCommand,
    prefix: "b:",
    tier: `t${count}`,
    deadlineMs: 5000,
    limits: Array.from({ length: count }, (_, index) => ({
      kind: "window",
      name: `w${index}`,
      by: "client",
      limit: LIMIT,
      windowMs: 60_000 * (index + 1),
    })),
  });
const [redis1, redis3, redis6] = [1, 3, 6].map(countersOf);
const store = new RedisStore({ sendCommand, prefix: "s:" });
await store.init({ windowMs: 60_000 });
const flexRedis = [60, 3600, 86_400].map((duration) => {
  const shared = { storeClient: client, useRedisPackage: true, points: LIMIT };
  return new RateLimiterRedis({ ...shared, duration, keyPrefix: `f${duration}` });
});
const owners = Array.from({ length: 6 }, () => "owner");
const inRedis = {
  PING: () => sendCommand("PING"),
  "wardline, one window": () => redis1.take(owners, Date.now(), 1),
  "wardline, three windows": () => redis3.take(owners, Date.now(), 1),
  "wardline, six windows": () => redis6.take(owners, Date.now(), 1),
  "rate-limit-redis, one window": () => store.increment("owner"),
  "rate-limiter-flexible, one window": () => flexRedis[0].consume("owner"),
  "rate-limiter-flexible, three windows": () => Promise.all(flexRedis.map((flex) => flex.consume("owner"))),
};
for (const once of Object.values(inRedis)) await once();
best.clear();
const trips = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, once] of Object.entries(inRedis)) {
    const before = sent;
    const start = performance.now();
    for (let n = 0; n < 50; n++) await once();
    note(name, ((performance.now() - start) * 1000) / 50);
    trips.set(name, (sent - before) / 50);
  }
}
print("Redis, one request at a time", Object.keys(inRedis), "PING");
for (const [name, count] of trips) {
  if (name.startsWith("wardline")) console.log(`  round trips per request, ${name}: ${count}`);
}
best.clear();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, once] of Object.entries(inRedis)) {
    const start = performance.now();
    await Promise.all(Array.from({ length: 64 }, once));
    note(name, ((performance.now() - start) * 1000) / 64);
  }
}
print("Redis, 64 requests in flight", Object.keys(inRedis), "PING");
client.destroy();
redis.kill();
