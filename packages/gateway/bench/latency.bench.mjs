// How long a caller waits when the server is asked for 70 % of what it can do, and how much two processes do beside one: each
// variant in fresh processes, rounds alternating, medians. `--quick` only checks that it runs.

import { facts, noteFigures } from "../../../scripts/kept.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";
import { load, loadSteadily, start, WORK } from "./load.mjs";
import { askByWrk, hasWrk } from "./wrk.mjs";

const ROUNDS = unlessQuick(3);
const WARM_UP = unlessQuick(8_000, 32);
const MEASURED = unlessQuick(3_000, 64);
const SECONDS = unlessQuick(4, 0.2);
const SHARE = 0.7;
/** On two cores, a client on Node takes a third of what a server does and wrk a tenth. */
const CLIENT = hasWrk() ? "wrk" : "a client on Node";
const SCALED = ["GET Patient", "50 Observations"];

const VARIANTS = {
  "bare Express 5": { kind: "app", stack: "bare" },
  wardline: { kind: "app", stack: "everything" },
  "wardline, edge server": { kind: "app", stack: "everything", edge: true },
  "the same, durable audit": { kind: "app", stack: "everything", edge: true, durability: "before-response" },
  gateway: { kind: "gateway" },
};
const work = WORK["GET Patient"];
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const upstream = await start({ kind: "upstream" });
const results = new Map(Object.keys(VARIANTS).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, variant] of Object.entries(VARIANTS)) {
    const servers = [await warmed(variant), await warmed(variant)];
    const [first] = servers;
    const { rate, cpu } = await load(first, work, MEASURED);
    const steady = await loadSteadily(first, work, { perSecond: rate * SHARE, seconds: SECONDS });
    const both = await Promise.all(servers.map((server) => load(server, work, MEASURED)));
    const each = both.reduce((sum, one) => sum + one.cpu, 0) / both.length;
    const scaled = {};
    for (const kind of SCALED) scaled[kind] = await twoBesideOne(servers, WORK[kind]);
    results.get(name).push({ rate, ...steady, ...scaled, dearer: each / cpu });
    for (const server of servers) server.stop();
  }
}
upstream.stop();

async function warmed(variant) {
  const server = await start({ ...variant, upstream: upstream.url });
  await load(server, work, WARM_UP);
  return server;
}

/** What two do together, by what either does alone, before and after: the machine is not as quick from minute to minute. */
async function twoBesideOne(servers, asked) {
  const [first, second] = servers;
  const rateOf = async (server) =>
    CLIENT === "wrk" ? askByWrk(server, asked, Math.ceil(SECONDS / 2)) : (await load(server, asked, MEASURED)).rate;
  for (const server of servers) await load(server, asked, WARM_UP / 4);
  const before = await rateOf(first);
  const together = await Promise.all(servers.map(rateOf));
  const after = await rateOf(second);
  return ((together[0] + together[1]) * 2) / (before + after);
}

const of = (name, figure) => median(results.get(name).map((one) => one[figure]));
const { processor, load: machine } = facts();
console.log(
  `GET Patient at ${SHARE * 100} % of what the process can do; ${processor}, machine load ${machine.join(", ")}`,
);
console.log(
  `two processes are asked by ${CLIENT}, which takes part of the same cores; so what a request costs each of the two is told beside`,
);
console.log("what it costs one alone: 1 is what processes that share nothing have");
const figures = {};
for (const name of results.keys()) {
  const [rate, p50, p99, dearer] = ["rate", "p50", "p99", "dearer"].map((figure) => of(name, figure));
  const scaled = SCALED.map((kind) => of(name, kind).toFixed(2)).join(" and ");
  const beside = (p99 / of("bare Express 5", "p99")).toFixed(2);
  figures[`${name}, p99 of bare`] = p99 / of("bare Express 5", "p99");
  figures[`${name}, one of two processes`] = dearer;
  console.log(
    `${name.padEnd(26)}${rate.toFixed(0).padStart(7)}/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms (${beside} of bare)  two processes ${scaled} of one, a request ${dearer.toFixed(2)}`,
  );
}
noteFigures(import.meta.url, figures);
