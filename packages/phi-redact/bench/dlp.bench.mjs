// What guarding one request's URL and headers, one log record and one field cost, beside doing the same work without a guard. Rounds are
// short and the best one counts, so that a busy machine shows less.
import { createCipheriv, randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { decryptFields, dlp, fieldCipher, logRedactor, phiLogFormat, phiScanner } from "@wardline/phi-redact";
import { CompactEncrypt } from "jose";
import winston from "winston";
import { unlessQuick } from "../../../scripts/quick.mjs";

const ROUNDS = unlessQuick(60);
const PER_ROUND = unlessQuick(200, 2);

const url =
  "/fhir/Observation?patient=Patient/3f1c9a52-7f0e-4a51-9a1e-0f1d2c3b4a59&code=http://loinc.org%7C8867-4&date=ge2024-01-01&_count=50";
const rawHeaders = [
  ["Host", "fhir.example.org"],
  [
    "User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
  ],
  ["Accept", "application/fhir+json"],
  ["Accept-Language", "en-US,en;q=0.9"],
  ["X-Request-Id", "4be0c8e8-5a1c-4d4e-9f0a-0f1c7b8e2c11"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ["Authorization", "Bearer abc"],
].flat();

const guard = dlp();
const guardUrl = dlp({ headers: "off" });
const nothing = () => undefined;
const request = () => ({ method: "GET", url, originalUrl: url, headers: {}, rawHeaders, socket: {} });

const record = () => ({
  level: "info",
  message: "request done",
  requestId: "4be0c8e8-5a1c-4d4e-9f0a-0f1c7b8e2c11",
  route: "patient",
  method: "GET",
  url: "/fhir/Patient/p-17?name=Smith",
  status: 200,
  latencyMs: 12.5,
  principal: { subject: "user-7", clientId: "app-1", scopes: ["user/Patient.rs", "user/Observation.rs"] },
  decisions: ["perimeter", "smart-auth", "fhir-schema"].map((control) => ({
    control,
    kind: "permit",
    because: ["ok"],
  })),
});
const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done(), decodeStrings: false });
const winstonWith = (...formats) =>
  winston.createLogger({
    format: winston.format.combine(...formats, winston.format.json()),
    transports: [new winston.transports.Stream({ stream: nowhere() })],
  });
const plainLog = winstonWith();
const guardedLog = winstonWith(phiLogFormat());
const redact = logRedactor();
const scan = phiScanner();
const note = `${"The patient was seen in the morning and slept well after the second dose of the usual. ".repeat(11)}ssn 536-22-1234`;

const kek = new Map();
const keys = {
  async generateDataKey() {
    const key = randomBytes(32);
    const wrapped = randomBytes(60);
    kek.set(wrapped.toString("hex"), key);
    return { keyId: "bench", key, wrapped };
  },
  unwrapDataKey: async ({ wrapped }) => kek.get(Buffer.from(wrapped).toString("hex")),
};
const cipher = fieldCipher({ keys });
await cipher.prepare();
const rawKey = randomBytes(32);
const place = { resourceType: "Patient", id: "p1", path: "Patient.birthDate" };
const sealed = { resourceType: "Patient", id: "p1", _birthDate: cipher.encryptField("1970-02-28", place) };
const rights = { keys, permits: () => true };

function rawGcm() {
  const nonce = randomBytes(12);
  const aes = createCipheriv("aes-256-gcm", rawKey, nonce, { authTagLength: 16 });
  aes.setAAD(Buffer.from("bound"));
  return Buffer.concat([nonce, aes.update('"1970-02-28"', "utf8"), aes.final(), aes.getAuthTag()]).toString(
    "base64url",
  );
}

/** Name, what is measured, and the case it is a multiple of. */
const cases = [
  ["parse the query with URLSearchParams", () => new URLSearchParams(url.slice(url.indexOf("?") + 1)).get("patient")],
  ["dlp(), URL only", () => guardUrl(request(), {}, nothing), 0],
  ["dlp(), URL and headers", () => guard(request(), {}, nothing), 0],
  ["JSON.stringify of a note of 1 kB", () => JSON.stringify(note)],
  ["phiScanner() over that note", () => scan(note), 3],
  ["JSON.stringify of a log record", () => JSON.stringify(record())],
  ["logRedactor() of it", () => redact(record()), 5],
  ["a winston line", () => plainLog.log(record())],
  ["a winston line with phiLogFormat()", () => guardedLog.log(record()), 7],
  ["AES-256-GCM of one field, bare", rawGcm],
  ["encryptField()", () => cipher.encryptField("1970-02-28", place), 9],
  ["decryptFields() of one field", () => decryptFields(sealed, rights), 9],
  [
    "jose compact JWE of one field",
    () =>
      new CompactEncrypt(Buffer.from('"1970-02-28"'))
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .encrypt(rawKey),
    9,
  ],
];

const best = cases.map(() => Number.POSITIVE_INFINITY);
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, [, once]] of cases.entries()) {
    const start = performance.now();
    for (let n = 0; n < PER_ROUND; n++) {
      const given = once();
      if (given instanceof Promise) await given;
    }
    best[index] = Math.min(best[index], ((performance.now() - start) * 1000) / PER_ROUND);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const [index, [name, , yardstick]] of cases.entries()) {
  const ratio =
    yardstick === undefined ? "" : `  ${(best[index] / best[yardstick]).toFixed(1)} x ${cases[yardstick][0]}`;
  console.log(`${name.padEnd(38)} ${best[index].toFixed(2).padStart(8)} us${ratio}`);
}
