// What recording costs a request: microseconds of processor time of one process (its client, its threads and the system's work for
// the disk included), over the same route without it. Variants take turns in short rounds and the best round of each counts, so that
// a busy machine shows less. One client on 16 kept connections.
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditEvent, openLedger } from "@wardline/audit-event";
import { afterAnswer } from "@wardline/policy-types/express";
import express from "express";
import { unlessQuick } from "../../../scripts/quick.mjs";

const ROUNDS = unlessQuick(16, 2);
const REQUESTS = unlessQuick(2500, 50);
const CONNECTIONS = 16;
const home = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "request-bench-"));
process.once("exit", () => rmSync(home, { recursive: true, force: true }));

const source = { observer: "edge-1", address: "https://fhir.example.org" };
let folders = 0;
const ledger = () => openLedger({ folder: join(home, `ledger-${folders++}`) });
/** The synchronous part, on the way to the answer: what a caller waits for even when nothing else is going on. */
const path = { calls: 0, ms: 0, best: Number.POSITIVE_INFINITY };
const timed = (handler) => (req, res, next) => {
  const start = performance.now();
  let inside = 0;
  handler(req, res, () => {
    const passed = performance.now();
    next();
    inside = performance.now() - passed;
  });
  path.ms += performance.now() - start - inside;
  path.calls += 1;
};

const ledgers = [await ledger(), await ledger()];
const hooked = (_req, res, next) => {
  afterAnswer(res, () => undefined);
  next();
};
const VARIANTS = {
  "no record": [],
  "hooks of policy-types alone": [hooked],
  async: [hooked, timed(auditEvent({ ledger: ledgers[0], durability: "async", source, heartbeatSeconds: 0 }))],
  "before-response": [hooked, auditEvent({ ledger: ledgers[1], source, heartbeatSeconds: 0 })],
};

const answer = JSON.stringify({ resourceType: "Patient", id: "p-1", birthDate: "1980-02-03" });
async function listen(middlewares) {
  const app = express();
  for (const middleware of middlewares) app.use(middleware);
  app.get("/Patient/:id", (_req, res) => void res.type("application/fhir+json").send(answer));
  const server = http.createServer(app);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const request = Buffer.from("GET /Patient/p-1 HTTP/1.1\r\nHost: fhir.example.org\r\n\r\n");
/** Sends so many requests and gives the microseconds of processor time for each. */
async function drive(port) {
  let left = REQUESTS;
  const start = process.cpuUsage();
  await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise((resolve, reject) => {
          const socket = net.connect(port, "127.0.0.1");
          const next = () => {
            if (left-- > 0) socket.write(request);
            else socket.end(resolve);
          };
          socket.once("connect", next);
          // An answer this small comes in one piece.
          socket.on("data", (data) => (data[9] === 0x32 ? next() : reject(new Error(data.toString("latin1", 0, 200)))));
          socket.once("error", reject);
        }),
    ),
  );
  const { user, system } = process.cpuUsage(start);
  return (user + system) / REQUESTS;
}

const servers = [];
for (const [name, middlewares] of Object.entries(VARIANTS)) servers.push([name, await listen(middlewares)]);
const best = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, server] of servers) {
    const cost = await drive(server.address().port);
    if (round > 0) best.set(name, Math.min(cost, best.get(name) ?? Number.POSITIVE_INFINITY));
    if (name === "async") {
      const waited = (path.ms * 1000) / path.calls;
      Object.assign(path, { calls: 0, ms: 0, best: round > 0 ? Math.min(waited, path.best) : path.best });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
for (const [, server] of servers) {
  server.close();
  server.closeAllConnections();
}
for (const opened of ledgers) await opened.close();

const bare = best.get("no record");
for (const [name, cost] of best) {
  console.log(`${name.padEnd(30)} ${cost.toFixed(1).padStart(7)} us a request, +${(cost - bare).toFixed(1)}`);
}
const recorded = best.get("async") - best.get("hooks of policy-types alone");
console.log(`an async event: the request waits ${path.best.toFixed(1)} us for it (wanted: under 20 us)`);
console.log(
  `and the process works ${recorded.toFixed(1)} us more, after the answer: building, chaining, writing, syncing`,
);
