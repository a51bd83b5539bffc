// What one event costs: building it, and with its share of the chain, beside a log line of winston and of pino. Rounds are short and
// the best one counts, so that a busy machine shows less.
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { createNaming, renderAccessLine, renderAuditEvents } from "@wardline/audit-event";
import { contextOf, recordDecision } from "@wardline/policy-types/express";
import { pino } from "pino";
import winston from "winston";
import { jsonText } from "../dist/json-text.js";
import { renderEntry } from "../dist/ledger/entry.js";

const ROUNDS = 600;
const PER_ROUND = 25;

/** As controls leave them in a request that is like many others. */
function decisionsOf(controls) {
  const req = new IncomingMessage(new Socket());
  const because = controls.map((control) => Object.freeze([`${control}: user/Observation.rs`]));
  controls.forEach((control, at) => {
    recordDecision(req, { control, kind: "permit", because: because[at] });
  });
  return contextOf(req).decisions;
}

const record = Object.freeze({
  requestId: "4be0c8e8-5a1c-4d4e-9f0a-0f1c7b8e2c11",
  receivedAt: Date.UTC(2026, 0, 31, 12),
  latencyMs: 12.5,
  zone: "patient",
  apiType: "patient-access",
  routeId: "patient",
  policyVersion: "sha256:0a1b2c3d4e5f",
  method: "GET",
  interaction: "read",
  resourceType: "Observation",
  resource: "Observation/o-1",
  parameters: [],
  patients: ["p-1"],
  principal: Object.freeze({
    issuer: "https://as.example.org",
    subject: "user-7",
    clientId: "app-1",
    fhirUser: "Practitioner/7",
    roles: ["nurse"],
    purposeOfUse: ["TREAT"],
    scopes: ["user/Patient.rs", "user/Observation.rs"],
    tokenId: "jti-1",
  }),
  peerAddress: "192.0.2.7",
  decisions: decisionsOf(["perimeter", "smart-auth", "tiered-throttle", "fhir-schema"]),
  outcome: "permit",
  status: 200,
  completed: true,
  requestBytes: 0,
  responseBytes: 2500,
});
/** A caller, and decisions, that nobody has written down yet. */
const strange = () => ({
  ...record,
  principal: Object.freeze({ ...record.principal }),
  decisions: record.decisions.map((decision) => ({ ...decision })),
});
// Frozen, as the middleware passes it.
const source = Object.freeze({ observer: "edge-1", address: "https://fhir.example.org" });
const clear = { source };
const hashed = { source, namingFor: createNaming("hashed", { id: "k1", key: new Uint8Array(32).fill(7) }) };

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done(), decodeStrings: false });
const logger = winston.createLogger({
  format: winston.format.json(),
  transports: [new winston.transports.Stream({ stream: nowhere })],
});

const quick = pino({}, nowhere);

let position = { entries: 7, hash: "0".repeat(64) };
/** What the ledger does for one entry before the write that many share. */
function chain(event) {
  const { line, after } = renderEntry(position, "2026-01-31T12:00:00.000Z", { kind: "plain", text: jsonText(event) });
  position = { entries: 7, hash: after.hash };
  return line;
}

const cases = {
  "event, built": () => renderAuditEvents(record, clear),
  "event of a stranger, built and chained": () => chain(renderAuditEvents(strange(), clear)[0]),
  "event, built and chained": () => chain(renderAuditEvents(record, clear)[0]),
  "event, hashed identifiers, chained": () => chain(renderAuditEvents(record, hashed)[0]),
  "winston, one access line": () => logger.log(renderAccessLine(record)),
  "pino, one access line": () => quick.info(renderAccessLine(record)),
  "pino, the same event": () => quick.info({ event: renderAuditEvents(record, clear)[0] }, "event"),
  "winston, the same event": () =>
    logger.log({ level: "info", message: "event", event: renderAuditEvents(record, clear)[0] }),
};

const best = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, once] of Object.entries(cases)) {
    const start = performance.now();
    for (let n = 0; n < PER_ROUND; n++) once();
    const microseconds = ((performance.now() - start) * 1000) / PER_ROUND;
    best.set(name, Math.min(microseconds, best.get(name) ?? Number.POSITIVE_INFINITY));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const line = best.get("winston, one access line");
for (const [name, microseconds] of best) {
  console.log(
    `${name.padEnd(36)} ${microseconds.toFixed(2).padStart(7)} us  ${(microseconds / line).toFixed(2)} x a winston line`,
  );
}
const cost = best.get("event, built and chained");
console.log(`building and chaining one event: ${cost.toFixed(1)} us (wanted: under 15 us)`);
