// Mutated bodies and queries by the million, through everything that judges them before a handler runs (the built package):
//     WARDLINE_FUZZ_RUNS=1000000 node --expose-gc test/fuzz.mjs
// Ends with an error when a judgement throws, takes over 50 ms of processor time again and again, or memory grows.
// `WARDLINE_FUZZ_SEED` repeats a run.
import { parseInteraction } from "@wardline/fhir-r4";
import { compiled } from "../../../scripts/compiled.mjs";
import {
  checkFhirPathPatch,
  checkJsonPatch,
  checkOperationBody,
  checkOperationQuery,
  checkSearch,
  validateResource,
} from "../dist/index.js";

const [{ integerFormIssues }, { findJsonFault }] = await compiled(
  import.meta.url,
  "../src/integer-forms.ts",
  "../src/json-faults.ts",
);

const RUNS = Number(process.env.WARDLINE_FUZZ_RUNS ?? 20_000);
const SEED = Number(process.env.WARDLINE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const SLOW_MS = 50;
const MOST_GROWTH_MB = 96;
const SIZES = { maxDepth: 100, maxArrayLength: 10_000 };
const QUERY_LIMITS = {
  maxCount: 1000,
  maxIncludes: 10,
  maxChain: 3,
  maxParameters: 100,
  maxValues: 1000,
  maxIssues: 20,
  extraParameters: new Set(),
};

const div = '<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><p>a &amp; b<br/></p></div>';
const BODIES = [
  `{"resourceType":"Patient","id":"1","text":{"status":"generated","div":"${div}"},"name":[{"given":["A",null],"_given":[null,{"id":"x"}]}],"birthDate":"1980-02-03","multipleBirthInteger":2,"deceasedBoolean":false}`,
  '{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/a"},"effectiveDateTime":"2020-01-01T10:00:00.123+01:00","valueQuantity":{"value":7.00e1,"unit":"kg"}}',
  '{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=a|b"}}]}',
  '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.name.where(use = \'usual\').first()"},{"name":"value","valueString":"x"}]}]}',
  '{"resourceType":"Questionnaire","status":"draft","item":[{"type":"group","item":[{"linkId":"1","type":"string","maxLength":3}]}]}',
  '[{"op":"replace","path":"/name/0/given/1","value":"x"},{"op":"move","from":"/a~1b","path":"/c~0d"}]',
];
const QUERIES = [
  "name=peter&birthdate=ge2020-01-01&_count=50&_sort=-birthdate,name",
  "_has:Observation:patient:code=http%3A%2F%2Floinc.org%7C8867-4&identifier:of-type=a|b|c",
  "general-practitioner:Practitioner.name:exact=%E2%82%AC&_revinclude=Provenance:target&_elements=id,name",
  "code-value-quantity=http://loinc.org%7C8480-6$gt90&near=1|2|3|km&_summary=true&_filter=x",
];
const TYPES = ["Patient", "Observation", "Encounter"];
/** Operations of R4 that take inputs in a URL, in a body, or in both. */
const CALLS = [
  ["everything", "Patient"],
  ["expand", "ValueSet"],
  ["match", "Patient"],
  ["lastn", "Observation"],
].map(([name, type]) => ({ name, type, extraParameters: new Set(), maxCount: 1000 }));
/** Pieces that have a meaning somewhere, and pieces that take time where something looks back. */
const PIECES = [
  ...[
    "\u0000",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    '"',
    ",",
    ":",
    "null",
    "1e999",
    "-0",
    "1.0",
    "__proto__",
    "constructor",
  ],
  ...[
    "$",
    "|",
    "\\,",
    "..",
    "%",
    "%ff",
    "%00",
    "+",
    ";",
    "&&",
    "==",
    ":missing",
    "_has:",
    "a".repeat(300),
    " ".repeat(300),
  ],
  ...[
    "<".repeat(200),
    "&amp;".repeat(60),
    "<p>".repeat(100),
    "(".repeat(200),
    "'".repeat(50),
    "1".repeat(400),
    "[".repeat(120),
  ],
  ...["\ud83d\ude00", "\ufeff", "T00:00:00Z", "2020-02-30", "Patient/", "http://", "urn:oid:1.2", "~1~0~", "/-"],
];

/** mulberry32: the same numbers for the same seed everywhere. */
let state = SEED >>> 0;
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
}
const one = (list) => list[random(list.length)];

function mutated(text) {
  let bytes = Buffer.from(text);
  for (let change = random(6); change >= 0; change--) {
    const at = random(bytes.length + 1);
    const rest = bytes.subarray(at + random(3));
    switch (random(5)) {
      case 0:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), rest]);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(one(PIECES)), rest]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), rest]);
        break;
      case 3: {
        const from = random(bytes.length + 1);
        const piece = bytes.subarray(from, from + random(60));
        bytes = Buffer.concat([bytes.subarray(0, at), ...Array(1 + random(20)).fill(piece), rest]);
        break;
      }
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(one(BODIES)), rest]);
    }
  }
  return bytes.subarray(0, 16_384);
}

/** Another value in the place of one value or name: still JSON, and often still the resource's form. */
function replaced(text) {
  const tokens = [...text.matchAll(TOKEN)];
  const { index, 0: token } = one(tokens);
  const value = one([
    () => JSON.stringify(one(PIECES)),
    () => JSON.stringify(token.slice(1, -1).replaceAll('\\"', "") + one(PIECES)),
    () => one(["0", "-1", "1.50", "2.0", "1e3", "true", "null", "[]", "{}", "[{}]"]),
    () => one(tokens)[0],
    () => one(BODIES),
  ])();
  return Buffer.from(text.slice(0, index) + value + text.slice(index + token.length));
}
const TOKEN = /"[^"\\]*"|-?\d+(?:\.\d+)?|true|false|null/g;

const counts = { bodies: 0, parsed: 0, passed: 0, queries: 0, accepted: 0 };

function judgeBody(bytes) {
  counts.bodies++;
  let json;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch {
    // Refused before anything else looks at it.
    return;
  }
  counts.parsed++;
  if (findJsonFault(bytes, SIZES) !== undefined) return;
  checkJsonPatch(json);
  checkFhirPathPatch(json, "Patient");
  // The name of the type is judged apart, so that more than Patients get further.
  if (validateResource(json).some(({ severity }) => severity === "error")) return;
  counts.passed++;
  integerFormIssues(bytes, json, 20);
  checkOperationBody(one(CALLS), json);
}

function judgeQuery(bytes) {
  counts.queries++;
  const query = bytes.toString("latin1").replaceAll("#", "");
  const { search } = parseInteraction({ method: "GET", path: `/${one(TYPES)}`, query });
  if (search === undefined) return;
  checkOperationQuery(one(CALLS), "GET", search.pairs);
  const { issues } = checkSearch(search, { of: "search", lenient: random(2) === 0 }, QUERY_LIMITS);
  if (issues.length === 0) counts.accepted++;
}

function cpuMs(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Slow once is a collection of garbage or a first compilation; slow three times is the input. */
function check(judge, bytes) {
  const started = performance.now();
  try {
    judge(bytes);
  } catch (error) {
    fail(`threw ${error?.stack}`, bytes);
  }
  const took = performance.now() - started;
  if (took <= SLOW_MS) return took;
  const again = Math.min(...[1, 2, 3].map(() => cpuMs(() => judge(bytes))));
  if (again > SLOW_MS) fail(`took ${again.toFixed(0)} ms`, bytes);
  return again;
}

function fail(what, bytes) {
  console.error(`seed ${SEED}, run ${counts.bodies + counts.queries}: ${what}\n${bytes.toString("base64")}`);
  process.exit(1);
}

function heapMb() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

console.log(`seed ${SEED}, ${RUNS} runs`);
let slowest = 0;
let before = 0;
for (let run = 0; run < RUNS; run++) {
  const body = run % 2 === 0;
  const given = one(body ? BODIES : QUERIES);
  const took = check(body ? judgeBody : judgeQuery, body && random(2) === 0 ? replaced(given) : mutated(given));
  slowest = Math.max(slowest, took);
  // By then everything is compiled that mutations reach.
  if (run === Math.floor(RUNS / 5)) before = heapMb();
}
const growth = heapMb() - before;
console.log(JSON.stringify({ ...counts, slowestMs: Number(slowest.toFixed(1)), growthMb: Number(growth.toFixed(1)) }));
if (globalThis.gc !== undefined && growth > MOST_GROWTH_MB)
  fail(`memory grew by ${growth.toFixed(0)} MB`, Buffer.alloc(0));
