// What one record of a caller not seen for an hour costs, and what 100,000 callers weigh. Rounds are short and the best one counts, so that a busy machine shows less.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compiled } from "../../../scripts/compiled.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";

const [{ createWatch }, { createPseudonyms }, { sightingOf }, { addressKey }, { add, NOTHING, estimate }, thresholds] =
  await compiled(
    import.meta.url,
    "../src/watch/watch.ts",
    "../src/watch/pseudonym.ts",
    "../src/watch/sighting.ts",
    "../src/watch/address.ts",
    "../src/watch/sketch.ts",
    "../src/detectors/thresholds.ts",
  );
const { DEFAULT_THRESHOLDS } = thresholds;

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

const CALLERS = unlessQuick(100_000, 1000);
const HOUR = 3_600_000;
const at = Date.UTC(2026, 0, 12, 9);
const decisions = ["audit-event", "perimeter", "smart-auth", "tiered-throttle", "fhir-schema"].map((control) => ({
  control,
  kind: "permit",
  because: ["user/Patient.rs"],
}));

function record(caller, n, when) {
  return {
    requestId: "4be0c8e8-5a1c-4d4e-9f0a-0f1c7b8e2c11",
    receivedAt: when,
    latencyMs: 12.5,
    zone: "internal",
    apiType: "clinical",
    routeId: "ehr",
    method: "GET",
    interaction: "read",
    resourceType: "Patient",
    resource: `Patient/p-${caller * 7 + n}`,
    parameters: [],
    patients: [`p-${caller * 7 + n}`],
    principal: {
      issuer: "https://as.example.org",
      subject: `user-${caller}`,
      clientId: `app-${caller % 50}`,
      roles: ["nurse"],
      purposeOfUse: ["TREAT"],
      scopes: ["user/Patient.rs"],
    },
    peerAddress: `10.${(caller >> 16) & 255}.${(caller >> 8) & 255}.${caller & 255}`,
    decisions,
    outcome: "permit",
    status: 200,
    completed: true,
    requestBytes: 0,
    responseBytes: 2500,
  };
}

const place = { latitude: 52.5, longitude: 13.4 };
const facts = {
  pseudonyms: createPseudonyms(new Uint8Array(16).fill(7)),
  addressKey: (address) => addressKey(address, 56),
  locate: () => place,
};
const watch = createWatch(DEFAULT_THRESHOLDS, 2 * CALLERS);

// Each caller reads eight patients over the hours of a day, as most do.
gc();
const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
const began = performance.now();
for (let n = 0; n < 8; n++) {
  for (let caller = 0; caller < CALLERS; caller++) watch.see(sightingOf(record(caller, n, at + n * HOUR), facts));
}
const mean = ((performance.now() - began) * 1000) / (8 * CALLERS);
gc();
const megabytes = (process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - before) / 1e6;
console.log(
  `${watch.tracked().subject} callers, eight patients each: ${megabytes.toFixed(1)} MB (wanted: under 100 MB)`,
);

console.log(`filling them, records made and garbage collected on the way: ${mean.toFixed(2)} us a record`);

const PER_ROUND = 200;
const records = Array.from({ length: 20_000 }, (_, n) => record((n * 7919) % CALLERS, 9, at + 9 * HOUR));
const busy = Array.from({ length: 500 }, (_, n) => record(n, 10, at + 9 * HOUR));
const others = Array.from({ length: 20_000 }, (_, n) => record((n * 7919 + 50_000) % CALLERS, 9, at + 9 * HOUR));
const sightings = records.map((one) => sightingOf(one, facts));
let sketch = NOTHING;
for (let n = 0; n < 10_000; n++) sketch = add(sketch, facts.pseudonyms.number("patient", `p-${n}`));
const list = { ...record(1, 1, at), patients: Array.from({ length: 50 }, (_, n) => `p-${n}`) };
// Each case has records of its own: the second look at the same would be a cheaper one.
let fresh = 0;
let again = 0;
const cases = {
  "record to sighting (five keyed hashes)": (n) => sightingOf(records[n], facts),
  "sighting through all detectors": (n) => watch.see(sightings[n % sightings.length]),
  "both, 100,000 callers in turn": () => watch.see(sightingOf(others[fresh++ % others.length], facts)),
  "both, 500 busy callers": () => watch.see(sightingOf(busy[again++ % busy.length], facts)),
  "record of fifty patients to sighting": () => sightingOf(list, facts),
  "estimate of a full sketch": () => estimate(sketch),
};
const best = new Map();
for (let round = 0; round < unlessQuick(90); round++) {
  const from = round * PER_ROUND;
  for (const [name, once] of Object.entries(cases)) {
    const start = performance.now();
    for (let n = from; n < from + PER_ROUND; n++) once(n);
    const microseconds = ((performance.now() - start) * 1000) / PER_ROUND;
    best.set(name, Math.min(microseconds, best.get(name) ?? Number.POSITIVE_INFINITY));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
for (const [name, microseconds] of best) console.log(`${name.padEnd(40)} ${microseconds.toFixed(2).padStart(7)} us`);
const step = best.get("sighting through all detectors");
const whole = best.get("both, 500 busy callers");
console.log(
  `one step: ${step.toFixed(2)} us, with its record ${whole.toFixed(2)} us for a busy caller (wanted: under 5 us)`,
);
