// What the perimeter's checks of one request cost: the judgement of head and hostile input without Express, and the whole middleware
// beside one that does nothing. Rounds are short and the best one counts, so that a busy machine shows less.
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { decideEntry, inspectionOf, perimeter, readHeaderFacts } from "@wardline/perimeter";
import { unlessQuick } from "../../../scripts/quick.mjs";

const ROUNDS = unlessQuick(60);
const PER_ROUND = unlessQuick(500, 5);

const HEADERS = [
  ["Host", "fhir.example.org"],
  ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"],
  ["Accept", "application/fhir+json"],
  ["Accept-Encoding", "gzip, deflate, br"],
  ["Authorization", `Bearer ${"eyJhbGciOiJFUzI1NiJ9.".padEnd(900, "x")}`],
  ["X-Request-Id", "4be0c8e8-5a1c-4d4e-9f0a-0f1c7b8e2c11"],
].flat();
const policy = {
  requireHttps: false,
  development: false,
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  maxHeaders: 64,
  maxHeaderBytes: 16_384,
  maxUrlBytes: 8192,
};
const inspect = inspectionOf();
const passes = (name) => name !== "authorization";

function judge(target) {
  const headers = readHeaderFacts(HEADERS);
  const facts = {
    method: "GET",
    target,
    httpVersion: "1.1",
    headers,
    address: "192.0.2.7",
    secure: true,
    local: false,
  };
  const { found } = inspect(facts, passes);
  if (decideEntry(facts, policy).kind !== "permit" || found.length > 0) throw new Error(`not permitted: ${target}`);
}

const guard = perimeter({ requireHttps: false });
function pass(target, middleware) {
  const req = new IncomingMessage(new Socket());
  req.method = "GET";
  req.url = target;
  req.originalUrl = target;
  req.httpVersion = "1.1";
  req.rawHeaders = [...HEADERS];
  for (let index = 0; index < HEADERS.length; index += 2)
    req.headers[HEADERS[index].toLowerCase()] = HEADERS[index + 1];
  const res = new ServerResponse(req);
  res.req = req;
  middleware(req, res, () => undefined);
}

function best(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (let index = 0; index < PER_ROUND; index++) work(index);
    least = Math.min(least, (performance.now() - started) / PER_ROUND);
  }
  return least * 1000;
}

const REQUESTS = [
  ["read", (index) => `/fhir/Patient/p-${index}`],
  ["search by a token", (index) => `/fhir/Observation?patient=p-${index}&code=http://loinc.org%7C8480-6&_count=50`],
  [
    "search with a date, an include and a name",
    (index) =>
      `/fhir/Observation?patient=p-${index}&date=ge2020-01-01&_include=Observation:subject&performer.name=O%27Brien`,
  ],
];
for (const [name, target] of REQUESTS) {
  const judged = best((index) => judge(target(index)));
  const nothing = best((index) => pass(target(index), (_req, _res, next) => next()));
  const whole = best((index) => pass(target(index), guard));
  console.log(
    `${name.padEnd(44)} checks ${judged.toFixed(1).padStart(6)} us   middleware ${(whole - nothing).toFixed(1).padStart(6)} us over one that does nothing`,
  );
}
