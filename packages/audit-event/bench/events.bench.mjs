// What one event costs: building it, and with its share of the chain, beside a log line of winston and of pino. Rounds are short and
// the best one counts, so that a busy machine shows less.
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { createNaming, renderAccessLine, renderAuditEvents } from "@wardline/audit-event";
import { contextOf, recordDecision } from "@wardline/policy-types/express";
import { pino } from "pino";
import winston from "winston";
import { compiled } from "../../../scripts/compiled.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";

const [{ GrowingBytes }, { writeJson }, { renderEntry }] = await compiled(
  import.meta.url,
  "../src/growing-bytes.ts",
  "../src/json-text.ts",
  "../src/ledger/entry.ts",
);

const ROUNDS = unlessQuick(600);
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
/** Records of callers nobody has written down yet, and of resources nobody has asked for: made before the time is taken. */
let number = 0;
const strangers = () =>
  Array.from({ length: PER_ROUND }, () => ({
    ...record,
    principal: Object.freeze({ ...record.principal, subject: `user-${++number}`, tokenId: `jti-${number}` }),
  }));
const unread = (like) => () =>
  Array.from({ length: PER_ROUND }, () => ({ ...like, resource: `Observation/o-${++number}` }));
/** What is remembered of a caller is in one form. */
const another = { ...record, principal: Object.freeze({ ...record.principal }) };
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

const [texts, lines] = [new GrowingBytes(8192), new GrowingBytes(8192)];
let position = { entries: 7, hash: "0".repeat(64) };
/** What the ledger does for one entry before the write that many share. */
function chain(event) {
  texts.wipe();
  lines.wipe();
  writeJson(texts, event);
  const { after } = renderEntry(position, "2026-01-31T12:00:00.000Z", { kind: "plain", text: texts.view(0) }, lines);
  position = { entries: 7, hash: after.hash };
}

const same = Array(PER_ROUND).fill(record);
const again = () => same;
const build = (given) => renderAuditEvents(given, clear)[0];
const CHAINED = "event, built and chained";
/** Which records, and what is done with each. */
const cases = {
  "event, built": [again, build],
  [CHAINED]: [unread(record), (given) => chain(build(given))],
  [`${CHAINED}, a stranger's`]: [strangers, (given) => chain(build(given))],
  [`${CHAINED}, identifiers hashed`]: [unread(another), (given) => chain(renderAuditEvents(given, hashed)[0])],
  "winston, one access line": [again, (given) => logger.log(renderAccessLine(given))],
  "pino, one access line": [again, (given) => quick.info(renderAccessLine(given))],
  "pino, the same event": [again, (given) => quick.info({ event: build(given) }, "event")],
  "winston, the same event": [again, (given) => logger.log({ level: "info", message: "event", event: build(given) })],
};

const best = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, [records, once]] of Object.entries(cases)) {
    const given = records();
    const start = performance.now();
    for (const one of given) once(one);
    const microseconds = ((performance.now() - start) * 1000) / PER_ROUND;
    best.set(name, Math.min(microseconds, best.get(name) ?? Number.POSITIVE_INFINITY));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const line = best.get("winston, one access line");
for (const [name, microseconds] of best) {
  console.log(
    `${name.padEnd(46)} ${microseconds.toFixed(2).padStart(7)} us  ${(microseconds / line).toFixed(2)} x a winston line`,
  );
}
for (const [name, microseconds] of best) {
  if (name.startsWith(CHAINED)) console.log(`${name}: ${microseconds.toFixed(1)} us (wanted: under 15 us)`);
}
