// One variant of the same small FHIR API in a process of its own: `node server.mjs '{"kind": ...}'`. Tells its parent where
// it listens, and on request what it has used.
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE, OBSERVATIONS, PATIENT, writeExport } from "./fixtures.mjs";
import { bare, everything, offTheShelf, WINDOWS } from "./stacks.mjs";

const {
  kind,
  stack,
  edge = false,
  turn = false,
  durability = "async",
  upstream,
  routes = 1,
} = JSON.parse(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "edge-bench-"));
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keySet = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" }] };

const KINDS = {
  app: serveApp,
  upstream: serveUpstream,
  proxy: serveProxy,
  nginx: serveNginx,
  forwarding: serveForwarding,
  gateway: serveGateway,
};
let cpuUsed = () => process.cpuUsage();
process.send(await KINDS[kind]());
process.on("message", () => process.send({ cpu: cpuUsed(), memory: process.memoryUsage.rss() }));
process.once("disconnect", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});

/** The API in an Express 5 app behind one of the stacks: on the plain server, with or without `byTurn`, or on the edge server. */
async function serveApp() {
  const { default: express } = await import("express");
  const issuer = await openIssuer();
  const app = express();
  app.disable("x-powered-by");
  await { bare, offTheShelf, everything }[stack](app, { folder, issuer, durability });
  app.get("/fhir/Patient/:id", (req, res) => {
    res.type("application/fhir+json").json({ ...PATIENT, id: req.params.id });
  });
  app.get("/fhir/Observation", (_req, res) => {
    res.type("application/fhir+json").json(OBSERVATIONS);
  });
  app.post("/fhir/Patient", (req, res) => {
    const created = { ...req.body, id: "b", meta: { versionId: "1", lastUpdated: "2026-01-01T00:00:00Z" } };
    res.status(201).location(`${BASE}/Patient/b/_history/1`).type("application/fhir+json").json(created);
  });
  app.get("/export/Binary/:megabytes", (req, res) => writeExport(res, Number(req.params.megabytes)));
  const { byTurn, createEdgeServer } = edge || turn ? await import("@wardline/policy-types/express") : {};
  const server = edge ? createEdgeServer(app) : http.createServer(turn ? byTurn(app) : app);
  return { url: await listen(server), token: token(issuer, BASE) };
}

/** A FHIR server of no cost of its own, for what stands before one. */
async function serveUpstream() {
  const [patient, observations] = [PATIENT, OBSERVATIONS].map((body) => Buffer.from(JSON.stringify(body)));
  const server = http.createServer((req, res) => {
    const megabytes = /^\/export\/Binary\/(\d+)$/.exec(req.url)?.[1];
    if (megabytes !== undefined) return void writeExport(res, Number(megabytes));
    req.resume().once("end", () => {
      const body = req.url.startsWith("/fhir/Observation") ? observations : patient;
      const headers = { "Content-Type": "application/fhir+json", "Content-Length": body.length };
      if (req.method !== "POST") res.writeHead(200, headers).end(body);
      else res.writeHead(201, { ...headers, Location: `${BASE}/Patient/a/_history/1` }).end(body);
    });
  });
  return { url: await listen(server), token: "" };
}

/** What any gateway on Node costs: a request of undici, its answer piped. */
async function serveProxy() {
  const { Pool } = await import("undici");
  const pool = new Pool(upstream, { connections: 64 });
  const server = http.createServer(async (req, res) => {
    const { host: _host, connection: _connection, ...headers } = req.headers;
    const body = req.method === "GET" ? null : req;
    const answer = await pool.request({ method: req.method, path: req.url, headers, body });
    res.writeHead(answer.statusCode, answer.headers);
    answer.body.pipe(res);
  });
  return { url: await listen(server), token: "" };
}

/** The gateway's way to an upstream and back, without a control: no transform applies. */
async function serveForwarding() {
  const { byTurn, keepFreedMemory } = await import("@wardline/policy-types/express");
  const { compiled } = await import("../../../scripts/compiled.mjs");
  const [{ forward }, { openUpstream }] = await compiled(
    import.meta.url,
    "../src/proxy/forward.ts",
    "../src/proxy/upstream.ts",
  );
  keepFreedMemory();
  const ehr = openUpstream("ehr", { url: `${upstream}/fhir` });
  const backends = { all: [ehr], forInteraction: () => ehr };
  const health = { upstreamFailed: (_name, error) => console.error(error), upstreamAnswered: () => undefined };
  const options = { requestBodyBytes: 1024 * 1024, health, target: (_context, url) => url };
  return {
    url: await listen(http.createServer(byTurn((req, res) => forward(req, res, backends, options)))),
    token: "",
  };
}

/** nginx with one worker and `proxy_pass`, connections to the upstream kept. */
async function serveNginx() {
  const { serveByNginx } = await import("./nginx.mjs");
  const nginx = await serveByNginx(folder, upstream);
  cpuUsed = nginx.cpuUsed;
  return { url: nginx.url, token: "" };
}

/** The gateway on its own server, from a policy: whatever a policy turns on is measured. */
async function serveGateway() {
  const { createGateway } = await import("@wardline/gateway");
  const issuer = await openIssuer();
  const gateway = await createGateway(
    {
      wardline: 1,
      name: "bench",
      development: true,
      listen: { port: 0 },
      issuers: [{ issuer, jwksUri: `${issuer}/jwks`, audience: [BASE] }],
      upstreams: { ehr: { url: `${upstream}/fhir` } },
      tiers: { apps: { windows: WINDOWS } },
      door: { limit: 1e9, windowSeconds: 60 },
      routes: Array.from({ length: routes }, (_, at) => ({
        id: `internal-${at}`,
        path: at === 0 ? "/fhir" : `/more/fhir-${at}`,
        zone: "internal",
        apiType: "provider-access",
        upstream: "ehr",
        interactions: ["read", "search-type", "create"],
        tier: "apps",
      })),
      audit: { folder: join(folder, "audit"), durability },
    },
    {
      onEvent: ({ level, code, message, facts, error }) =>
        level === "info" || code === "gateway/development" || console.error(code, message, facts, error),
    },
  );
  const { url } = await gateway.listen();
  return { url, token: token(issuer, BASE) };
}

async function openIssuer() {
  return listen(http.createServer((_req, res) => res.end(JSON.stringify(keySet))));
}

function token(issuer, audience) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: "u", client_id: "app", iat: now, exp: now + 3000, jti: "1" };
  const text = [
    { alg: "ES256", kid: "1", typ: "at+jwt" },
    { ...claims, scope: "user/*.cruds", fhirUser: "Practitioner/p1" },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}
