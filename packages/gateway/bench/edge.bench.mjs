// The same API bare, with an off-the-shelf stack, with every Wardline control, and behind the gateway: in each round all in
// fresh processes, asked in short bursts that alternate over them, medians. Absolute figures drift within seconds; what was
// measured in turns drifts alike.
//   --quick       only checks that everything runs
//   --keep        keeps the ratios in edge.kept.json, with which later runs compare themselves
//   --rounds N, --requests N   instead of 3 and 8000 of each work
//   --out FILE    writes them into a file

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { facts, keepRun, keptRuns, tellRegressions } from "../../../scripts/kept.mjs";
import { load, readExport, start, WORK } from "./load.mjs";
import { hasNginx } from "./nginx.mjs";
import { costs, printBeside, printTable, ratios } from "./table.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    keep: { type: "boolean" },
    out: { type: "string" },
    rounds: { type: "string", default: "3" },
    requests: { type: "string", default: "8000" },
  },
  allowPositionals: true,
});
const ROUNDS = options.quick ? 1 : Number(options.rounds);
const REQUESTS = options.quick ? 32 : Number(options.requests);
// V8 goes on compiling for some 15,000 requests where there are many controls, whatever comes first.
const BEGINNING = options.quick ? 32 : 15_000;
const WARM_UP = REQUESTS / 4;
const BURSTS = options.quick ? 1 : 8;
const MEGABYTES = options.quick ? 1 : 50;

/** Name, what it is a share of, how it is served. */
const VARIANTS = [
  ["bare Express 5", "bare Express 5", { kind: "app", stack: "bare" }],
  ["bare, edge server", "bare Express 5", { kind: "app", stack: "bare", edge: true }],
  ["off the shelf", "bare Express 5", { kind: "app", stack: "offTheShelf" }],
  ["wardline", "bare Express 5", { kind: "app", stack: "everything" }],
  ["wardline, by turn", "bare Express 5", { kind: "app", stack: "everything", turn: true }],
  ["wardline, edge server", "bare Express 5", { kind: "app", stack: "everything", edge: true }],
  [
    "the same, durable audit",
    "bare Express 5",
    { kind: "app", stack: "everything", edge: true, durability: "before-response" },
  ],
  ["bare undici proxy", "bare undici proxy", { kind: "proxy" }],
  ...(hasNginx() ? [["nginx", "bare undici proxy", { kind: "nginx" }]] : []),
  ["the gateway's forwarding alone", "bare undici proxy", { kind: "forwarding" }],
  ["gateway", "bare undici proxy", { kind: "gateway" }],
  ["gateway, durable audit", "bare undici proxy", { kind: "gateway", durability: "before-response" }],
];

const upstream = await start({ kind: "upstream" });
const results = new Map();
for (let round = 0; round < ROUNDS; round++) {
  const running = [];
  for (const [name, , variant] of VARIANTS) {
    const server = await start({ ...variant, upstream: upstream.url });
    await load(server, WORK["GET Patient"], BEGINNING);
    running.push({ name, kind: variant.kind, server });
  }
  for (const [work, request] of Object.entries(WORK)) {
    for (const { server } of running) await load(server, request, WARM_UP);
    for (let burst = 0; burst < BURSTS; burst++) {
      for (const { name, server } of running) note(name, work, await load(server, request, REQUESTS / BURSTS));
    }
  }
  for (const { name, kind, server } of running) {
    if (kind === "app") note(name, "export, per MB", await readExport(server, MEGABYTES));
    server.stop();
  }
}
upstream.stop();

function note(name, work, measured) {
  const byWork = results.get(name) ?? {};
  results.set(name, { ...byWork, [work]: [...(byWork[work] ?? []), measured] });
}

const run = { ...facts(), rounds: ROUNDS, requests: REQUESTS, shares: ratios(results, VARIANTS) };
if (options.quick) console.log(`${VARIANTS.length} variants answered; nothing was measured`);
else {
  const kept = keptRuns(import.meta.url);
  printTable(run, kept[0]);
  tellRegressions(costs(run), kept.map(costs));
  printBeside(run, "wardline", "off the shelf");
  printBeside(run, "wardline, by turn", "off the shelf");
  printBeside(run, "wardline, edge server", "off the shelf");
  printBeside(run, "the same, durable audit", "wardline, edge server");
  if (hasNginx()) printBeside(run, "gateway", "nginx");
}
if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(run, undefined, 2)}\n`);
keepRun(import.meta.url, run);
