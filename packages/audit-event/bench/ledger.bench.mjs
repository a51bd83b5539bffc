// Durable, chained events per second, 64 callers each waiting for its acknowledgement; beside winston's File transport,
// which is neither chained nor durable: its callback comes when the line has been given to the stream.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointSigner, localKeyRing, openLedger } from "@wardline/audit-event";
import winston from "winston";
import { unlessQuick } from "../../../scripts/quick.mjs";

const CALLERS = 64;
const SECONDS = unlessQuick(Number(process.env.BENCH_SECONDS ?? 2), 0.05);
const ROUNDS = unlessQuick(3);
const home = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "ledger-bench-"));
process.once("exit", () => rmSync(home, { recursive: true, force: true }));

const event = {
  resourceType: "AuditEvent",
  type: {
    system: "http://terminology.hl7.org/CodeSystem/audit-event-type",
    code: "rest",
    display: "RESTful Operation",
  },
  subtype: [{ system: "http://hl7.org/fhir/restful-interaction", code: "read", display: "read" }],
  action: "R",
  recorded: "2026-01-31T12:00:00.000Z",
  outcome: "0",
  agent: [
    { type: { coding: [{ code: "110150" }] }, who: { identifier: { value: "app-1" } }, requestor: false },
    { who: { identifier: { system: "https://as.example.org", value: "user-7" } }, requestor: true },
  ],
  source: { observer: { display: "fhir-edge-1" } },
  entity: [{ what: { reference: "Patient/p1" } }, { what: { identifier: { value: "0b8f9c1e-req-1" } } }],
};

/** Runs the callers for a while; gives events per second and the median wait. */
async function load(append) {
  const waits = [];
  const end = performance.now() + SECONDS * 1000;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      for (let now = performance.now(); now < end; ) {
        await append(event);
        const done = performance.now();
        waits.push(done - now);
        now = done;
      }
    }),
  );
  const perSecond = waits.length / ((performance.now() - began) / 1000);
  waits.sort((a, b) => a - b);
  return { perSecond, median: waits[Math.floor(waits.length / 2)], p99: waits[Math.floor(waits.length * 0.99)] };
}

let folders = 0;
async function ledger(options) {
  const opened = await openLedger({ folder: join(home, `ledger-${folders++}`), ...options });
  const result = await load((one) => opened.append([one]));
  await opened.close();
  return result;
}

const signer = () => checkpointSigner({ name: "bench", privateKey: generateKeyPairSync("ed25519").privateKey });
const keys = await localKeyRing({ file: join(home, "ring"), key: randomBytes(32), create: true });

const variants = {
  "winston File (not durable)": async () => {
    const file = new winston.transports.File({ filename: join(home, `winston-${folders++}.log`) });
    const logger = winston.createLogger({ format: winston.format.json(), transports: [file] });
    const waiting = [];
    file.on("logged", () => waiting.shift()?.());
    const result = await load(
      (one) =>
        new Promise((resolve) => {
          waiting.push(resolve);
          logger.info("access", one);
        }),
    );
    logger.close();
    return result;
  },
  "ledger, chained": () => ledger({}),
  "ledger, chained and signed": () => ledger({ signer: signer() }),
  "ledger, chained, signed and encrypted": () => ledger({ signer: signer(), encryption: keys }),
};

const results = new Map(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(variants)) results.get(name).push(await run());
}
const medianOf = (list, key) => list.map((one) => one[key]).sort((a, b) => a - b)[Math.floor(list.length / 2)];
const base = medianOf(results.get("winston File (not durable)"), "perSecond");
console.log(
  `${CALLERS} callers, events of ${JSON.stringify(event).length} bytes, medians of ${ROUNDS} rounds of ${SECONDS} s`,
);
for (const [name, list] of results) {
  const perSecond = medianOf(list, "perSecond");
  const [median, p99] = [medianOf(list, "median").toFixed(2), medianOf(list, "p99").toFixed(2)];
  const ratio = (perSecond / base).toFixed(1);
  console.log(
    `${name.padEnd(40)} ${String(Math.round(perSecond)).padStart(8)}/s  x${ratio.padStart(5)}  median ${median} ms  p99 ${p99} ms`,
  );
}
