// What checking a search costs in processor time, beside reading its query with URLSearchParams alone.
import { parseInteraction } from "@wardline/fhir-r4";
import { checkSearch } from "@wardline/fhir-schema";
import { unlessQuick } from "../../../scripts/quick.mjs";

const LIMITS = {
  maxCount: 1000,
  maxIncludes: 10,
  maxChain: 3,
  maxParameters: 100,
  maxValues: 1000,
  maxIssues: 20,
  extraParameters: new Set(),
};
const QUERIES = [
  ["typical", "Observation", "patient=85&category=laboratory&date=ge2020-01-01&_count=50"],
  ["US Core", "Observation", "_revinclude=Provenance:target&code=http%3A%2F%2Floinc.org%7C8867-4&patient=85"],
  ["chain", "Observation", "subject:Patient.name=peter&_sort=-date&_include=Observation:encounter"],
  ["composite", "Observation", "code-value-quantity=http://loinc.org%7C8480-6$gt90&_summary=true"],
  ["refused", "Patient", "surname=Smith&birthdate=yesterday"],
];
const ROUNDS = unlessQuick(7);
const CALLS = unlessQuick(20_000, 10);

let sink = 0;

/** Microseconds per call, the best of rounds in which the variants take turns. */
function measure(variants) {
  const times = variants.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, run] of variants.entries()) {
      const started = cpu();
      for (let call = 0; call < CALLS; call++) sink += run();
      times[at].push((cpu() - started) / CALLS);
    }
  }
  return times.map((each) => Math.min(...each));
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

console.log(
  `${"us per query".padEnd(14)}${["URLSearchParams", "parse", "check", "parse + check"].map((name) => name.padStart(17)).join("")}`,
);
for (const [name, type, query] of QUERIES) {
  const request = { method: "GET", path: `/${type}`, query };
  const { search } = parseInteraction(request);
  const use = { of: "search", lenient: false };
  const [bare, parse, check, both] = measure([
    () => [...new URLSearchParams(query)].length,
    () => parseInteraction(request).touches.length,
    () => checkSearch(search, use, LIMITS).issues.length,
    () => checkSearch(parseInteraction(request).search, use, LIMITS).issues.length,
  ]);
  const cell = (value) => `${value.toFixed(2)} (x${(value / bare).toFixed(1)})`.padStart(17);
  console.log(name.padEnd(14) + [bare, parse, check, both].map(cell).join(""));
}
if (sink === 0) throw new Error("nothing was done");
