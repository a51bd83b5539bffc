// What judging a request by an OpenAPI document costs, beside express-openapi-validator with the same document: microseconds of
// processor time of the server for a request through an Express app, over the same app without either. The client is a process
// of its own, variants take turns, and the best round counts: what else the machine does makes a round dearer, never cheaper.
import { fork } from "node:child_process";
import http from "node:http";
import { openApiRoutes } from "@wardline/fhir-schema";
import express from "express";
import openApiValidator from "express-openapi-validator";
import { unlessQuick } from "../../../scripts/quick.mjs";

const ROUNDS = unlessQuick(12, 2);
const REQUESTS = unlessQuick(1500, 20);
const claim = {
  type: "object",
  required: ["patient", "amount", "lines"],
  additionalProperties: false,
  properties: {
    patient: { type: "string", pattern: "^[A-Za-z0-9.-]{1,64}$" },
    amount: { type: "number", minimum: 0 },
    submitted: { type: "string", format: "date" },
    lines: {
      type: "array",
      minItems: 1,
      maxItems: 100,
      items: {
        type: "object",
        required: ["code"],
        additionalProperties: false,
        properties: { code: { type: "string", maxLength: 20 }, quantity: { type: "integer", minimum: 1 } },
      },
    },
  },
};
const done = { 200: { description: "done", content: { "application/json": { schema: { type: "object" } } } } };
const query = [
  { name: "status", in: "query", schema: { type: "string", enum: ["open", "closed"] } },
  { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: 100 } },
  { name: "since", in: "query", schema: { type: "string", format: "date" } },
];
const document = {
  openapi: "3.0.3",
  info: { title: "Claims", version: "1" },
  paths: {
    "/claims": {
      get: { parameters: query, responses: done },
      post: { requestBody: { required: true, content: { "application/json": { schema: claim } } }, responses: done },
    },
  },
};
const body = JSON.stringify({
  patient: "p-1",
  amount: 120.5,
  submitted: "2026-01-31",
  lines: Array.from({ length: 5 }, (_, n) => ({ code: `A${n}`, quantity: n + 1 })),
});

const VARIANTS = {
  "express.json alone": [express.json()],
  openApiRoutes: [openApiRoutes(document)],
  "express-openapi-validator": [
    express.json(),
    openApiValidator.middleware({ apiSpec: document, validateRequests: true, validateResponses: false }),
  ],
};
const text = (method, target, content = "") =>
  `${method} ${target} HTTP/1.1\r\nHost: a\r\n${content === "" ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(content)}\r\n`}\r\n${content}`;
const WORK = {
  "GET with three parameters": [text("GET", "/claims?status=open&limit=50&since=2026-01-01"), "200"],
  "POST of a claim": [text("POST", "/claims", body), "200"],
  "POST of a claim, refused": [text("POST", "/claims", body.replace('"A4"', "4")), "400"],
};

async function listen(handlers) {
  const app = express();
  for (const handler of handlers) app.use(handler);
  app.all("/claims", (_req, res) => void res.json({}));
  app.use((error, _req, res, _next) => void res.status(error.status ?? 500).json({ message: "refused" }));
  const server = http.createServer(app);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const client = fork(new URL("./support/openapi-client.mjs", import.meta.url));

async function drive(port, request, status) {
  const start = process.cpuUsage();
  const error = await new Promise((resolve) => {
    client.once("message", resolve);
    client.send({ port, request, status, requests: REQUESTS });
  });
  if (error !== "done") throw new Error(error);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / REQUESTS;
}

const servers = [];
for (const [name, handlers] of Object.entries(VARIANTS)) servers.push([name, await listen(handlers)]);
for (const [what, [request, status]] of Object.entries(WORK)) {
  const best = new Map();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, server] of servers) {
      const cost = await drive(server.address().port, request, status);
      if (round > 0) best.set(name, Math.min(cost, best.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  const bare = best.get("express.json alone");
  console.log(what);
  for (const [name, cost] of best) {
    console.log(`  ${name.padEnd(28)} ${cost.toFixed(1).padStart(7)} us a request, +${(cost - bare).toFixed(1)}`);
  }
}
client.disconnect();
for (const [, server] of servers) {
  server.close();
  server.closeAllConnections();
}
