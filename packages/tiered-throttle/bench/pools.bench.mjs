// The p99 of prior authorisation while bulk traffic comes at twenty times the capacity, with reserved pools and without: each variant
// beside itself without the bulk, in one run. Then what a slot costs. `BENCH_SECONDS` lengthens the rounds.
import { fork } from "node:child_process";
import { Agent, createServer, get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { compiled } from "../../../scripts/compiled.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";

const WORKERS = 5;
const WORK_MS = 400;
const BULK_PER_SECOND = 20 * WORKERS * (1000 / WORK_MS);
const PRIOR_PER_SECOND = 4;
const SECONDS = unlessQuick(Number(process.env.BENCH_SECONDS ?? 24), 0.6);
const ROUNDS = unlessQuick(2);
const POOLS = {
  "prior-authorization": { reserved: 3, priority: 9, waiting: 20 },
  "bulk-data": { waiting: 20, waitMs: 500 },
  ordinary: {},
};
const VARIANTS = {
  "no pools": undefined,
  "reserve kept": POOLS,
  "reserve lent": { ...POOLS, "prior-authorization": { ...POOLS["prior-authorization"], lend: 3 } },
};

if (process.argv[2] in VARIANTS) await serve(VARIANTS[process.argv[2]]);
else await main();

async function main() {
  console.log(
    `${WORKERS} workers of ${WORK_MS} ms; bulk ${BULK_PER_SECOND}/s, prior authorisation ${PRIOR_PER_SECOND}/s`,
  );
  for (const name of Object.keys(VARIANTS)) {
    const child = fork(import.meta.filename, [name], { env: { ...process.env, NODE_ENV: "production" } });
    const port = await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", () => reject(new Error(`${name} did not start`)));
    });
    await load(port, { seconds: unlessQuick(1, 0.1), bulk: false });
    const alone = [];
    const pressed = [];
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await load(port, { seconds: SECONDS / ROUNDS, bulk: false }));
      pressed.push(await load(port, { seconds: SECONDS / ROUNDS, bulk: true }));
    }
    child.disconnect();
    report(name, summary(alone), summary(pressed));
  }
  console.log("wanted with a reserve: at most x1.50, lost 0");
  await slotCost();
}

function report(name, alone, pressed) {
  const ratio = pressed.p99 / alone.p99;
  const bulk = `bulk offered ${Math.round(pressed.offered)}/s, answered 200 ${pressed.served.toFixed(1)}/s`;
  console.log(
    `${name.padEnd(14)} p99 ${alone.p99.toFixed(0)} -> ${pressed.p99.toFixed(0)} ms: x${ratio.toFixed(2)}, lost ${pressed.lost} of ${pressed.count}; ${bulk}`,
  );
}

function summary(rounds) {
  const took = rounds.flatMap((one) => one.took).sort((a, b) => a - b);
  const sum = (key) => rounds.reduce((total, one) => total + one[key], 0);
  return {
    p99: took[Math.floor(took.length * 0.99)] ?? Number.NaN,
    lost: sum("lost"),
    count: took.length + sum("lost"),
    offered: sum("offered") / SECONDS,
    served: sum("served") / SECONDS,
  };
}

/** A server whose backend has few workers and a queue, as real ones do. */
async function serve(pools) {
  const { default: express } = await import("express");
  const { reservedPools } = await import("@wardline/tiered-throttle");
  const app = express();
  const poolOf = (req) => (req.url === "/prior" ? "prior-authorization" : "bulk-data");
  if (pools !== undefined) app.use(reservedPools({ capacity: WORKERS, pools, poolOf }));
  const backend = workers();
  app.use((_req, res) => {
    const cancel = backend(() => res.json({ resourceType: "Claim", text: "x".repeat(2000) }));
    res.once("close", cancel);
  });
  const server = createServer(app);
  process.once("disconnect", () => process.exit(0));
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
}

function workers() {
  const queue = [];
  let busy = 0;
  const start = (job) => {
    busy += 1;
    const end = () => {
      if (job.ended) return;
      job.ended = true;
      clearTimeout(timer);
      busy -= 1;
      const next = queue.shift();
      if (next !== undefined) start(next);
    };
    const timer = setTimeout(() => {
      end();
      job.done();
    }, WORK_MS);
    job.cancel = end;
  };
  return (done) => {
    const job = { done, ended: false, cancel: () => void queue.splice(queue.indexOf(job) >>> 0, 1) };
    if (busy < WORKERS) start(job);
    else queue.push(job);
    return () => job.cancel();
  };
}

/** Requests at fixed rates, whether the earlier ones have been answered or not. */
async function load(port, { seconds, bulk }) {
  const agents = { prior: new Agent({ keepAlive: true }), bulk: new Agent({ keepAlive: true, maxSockets: 200 }) };
  const took = [];
  let [lost, offered, served] = [0, 0, 0];
  const live = new Set();
  const ask = (path, agent, onStatus) => {
    const sent = get({ port, host: "127.0.0.1", path, agent }, (res) => {
      res.resume();
      res.once("end", () => onStatus(res.statusCode));
    });
    live.add(sent);
    sent.once("error", () => onStatus(0));
    sent.once("close", () => live.delete(sent));
  };
  const prior = () => {
    const began = performance.now();
    ask("/prior", agents.prior, (status) => {
      if (status === 200) took.push(performance.now() - began);
      else lost += 1;
    });
  };
  const one = () => {
    offered += 1;
    ask("/bulk", agents.bulk, (status) => {
      if (status === 200) served += 1;
    });
  };
  const began = performance.now();
  const sent = { prior: 0, bulk: 0 };
  for (let passed = 0; passed < seconds; passed = (performance.now() - began) / 1000) {
    for (; sent.prior < passed * PRIOR_PER_SECOND; sent.prior++) prior();
    if (bulk) for (; sent.bulk < passed * BULK_PER_SECOND; sent.bulk++) one();
    await wait(1);
  }
  for (let tries = 0; tries < unlessQuick(100, 3) && took.length + lost < sent.prior; tries++) await wait(100);
  lost += sent.prior - took.length - lost;
  const seen = { took: [...took], lost, offered, served };
  // An agent that is closed would open new connections for what is queued in it.
  for (const sent of live) sent.destroy();
  agents.prior.destroy();
  agents.bulk.destroy();
  await wait(300);
  return seen;
}

async function slotCost() {
  const [{ createPools }] = await compiled(import.meta.url, "../src/pools/pools.ts");
  const pool = { lend: 0, maximum: 100, waiting: 0, waitMs: 1, reservedPerSecond: 0 };
  const names = ["device", "prior-authorization", "clinical", "ordinary", "bulk-data"];
  const pools = createPools(
    100,
    names.map((name, priority) => ({ ...pool, name, priority, reserved: 10 })),
  );
  const nothing = () => undefined;
  const request = {
    pool: "ordinary",
    mayBorrow: false,
    priority: 0,
    onSlot: nothing,
    onRefusal: nothing,
    onRecall: nothing,
  };
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < unlessQuick(50); round++) {
    const began = performance.now();
    for (let n = 0; n < 20_000; n++) pools.ask(request)();
    best = Math.min(best, (performance.now() - began) / 20);
  }
  console.log(`a slot taken and returned, five pools: ${best.toFixed(3)} us`);
}
