// One variant of the same small FHIR API, in a process of its own: `node server.mjs VARIANT`. Tells its parent URL and token.
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";

const BASE = "http://127.0.0.1/fhir";
const PATIENT = {
  resourceType: "Patient",
  id: "a",
  meta: { versionId: "1", lastUpdated: "2026-01-01T00:00:00Z" },
  text: { status: "generated", div: `<div xmlns="http://www.w3.org/1999/xhtml">${"A person. ".repeat(150)}</div>` },
  identifier: [{ system: "urn:example", value: "123" }],
  name: [{ family: "Example", given: ["Ann", "Maria"] }],
  birthDate: "1980-02-03",
  address: [{ line: ["1 Street"], city: "Town", postalCode: "12345" }],
};
const OBSERVATIONS = {
  resourceType: "Bundle",
  type: "searchset",
  entry: Array.from({ length: 50 }, (_, index) => ({
    fullUrl: `${BASE}/Observation/o${index}`,
    resource: {
      resourceType: "Observation",
      id: `o${index}`,
      status: "final",
      text: { status: "generated", div: `<div xmlns="http://www.w3.org/1999/xhtml">${"Weight. ".repeat(80)}</div>` },
      code: { coding: [{ system: "http://loinc.org", code: "29463-7", display: "Body weight" }] },
      subject: { reference: "Patient/a" },
      valueQuantity: { value: 70.5, unit: "kg", system: "http://unitsofmeasure.org", code: "kg" },
    },
    search: { mode: "match" },
  })),
};

const folder = mkdtempSync(join(tmpdir(), "edge-bench-"));
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keySet = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" }] };
const issuer = await listen(http.createServer((_req, res) => res.end(JSON.stringify(keySet))));

/** What each variant puts before the same two routes. */
const VARIANTS = {
  bare: () => undefined,
  async "off the shelf"(app) {
    const [{ default: helmet }, { rateLimit }, { jwtVerify }, winston] = await Promise.all([
      import("helmet"),
      import("express-rate-limit"),
      import("jose"),
      import("winston"),
    ]);
    const key = createPublicKey({ key: keySet.keys[0], format: "jwk" });
    const logger = winston.createLogger({
      transports: [new winston.transports.File({ filename: join(folder, "access.log") })],
    });
    app.use((req, res, next) => {
      res.once("finish", () => logger.info("access", { method: req.method, path: req.path, status: res.statusCode }));
      next();
    });
    app.use(helmet());
    app.use(rateLimit({ windowMs: 60_000, limit: 1e9, standardHeaders: "draft-8", legacyHeaders: false }));
    app.use((req, res, next) => {
      const given = req.headers.authorization?.slice("Bearer ".length) ?? "";
      jwtVerify(given, key, { issuer, audience: BASE, typ: "at+jwt" }).then(
        () => next(),
        () => res.status(401).end(),
      );
    });
  },
  async wardline(app) {
    await everything(app, "before-response");
  },
  async "wardline, audit async"(app) {
    await everything(app, "async");
  },
};

async function everything(app, durability) {
  const [{ auditEvent, openLedger }, { fhirSchema }, { perimeter }, { requireControls }, { smartAuth }, throttle] =
    await Promise.all([
      import("@wardline/audit-event"),
      import("@wardline/fhir-schema"),
      import("@wardline/perimeter"),
      import("@wardline/policy-types/express"),
      import("@wardline/smart-auth"),
      import("@wardline/tiered-throttle"),
    ]);
  const ledger = await openLedger({ folder: join(folder, "audit") });
  const windows = [{ name: "apps", limit: 1e9, windowSeconds: 60, by: "client" }];
  app.use(auditEvent({ ledger, source: { observer: "bench", address: BASE }, durability }));
  app.use(perimeter({ development: true }));
  app.use(throttle.doorThrottle({ limit: 1e9, windowSeconds: 60 }));
  app.use(
    "/fhir",
    smartAuth({ baseUrl: BASE, development: true, issuers: [{ issuer, jwksUri: `${issuer}/jwks`, audience: [BASE] }] }),
    throttle.tieredThrottle({ windows }),
    fhirSchema(),
    requireControls("patient"),
  );
}

function token() {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: BASE, sub: "u", client_id: "app", iat: now, exp: now + 3000, jti: "1" };
  const text = [
    { alg: "ES256", kid: "1", typ: "at+jwt" },
    { ...claims, patient: "a", scope: "patient/*.rs" },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

const app = express();
app.disable("x-powered-by");
await VARIANTS[process.argv[2]](app);
app.get("/fhir/Patient/:id", (req, res) => {
  res.type("application/fhir+json").json({ ...PATIENT, id: req.params.id });
});
app.get("/fhir/Observation", (_req, res) => {
  res.type("application/fhir+json").json(OBSERVATIONS);
});
process.send({ url: await listen(http.createServer(app)), token: token() });
process.once("disconnect", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
