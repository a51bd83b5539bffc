// Microseconds to redact a searchset of 50 entries, beside parsing and writing its text and beside other ways to take
// fields out. Compare ratios within one run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fastRedact from "fast-redact";
import { unlessQuick } from "../../../scripts/quick.mjs";
import { createRedactor, defineProfile } from "../dist/index.js";
import { definitionsFolder } from "../generator/elements.mjs";

const folder = definitionsFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed: there is nothing to measure");
const example = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

const observation = example("Observation-example");
const patient = example("Patient-example");
const bundle = {
  resourceType: "Bundle",
  type: "searchset",
  total: 50,
  entry: Array.from({ length: 50 }, (_, index) => ({
    fullUrl: `https://fhir.example.org/Resource/${index}`,
    resource: { ...(index % 10 === 0 ? patient : observation), id: `r${index}` },
  })),
};
const text = JSON.stringify(bundle);
console.log(`a searchset of 50 entries, ${text.length} bytes; ${process.version}`);

const parseAndWrite = measure(() => JSON.stringify(JSON.parse(text)));
row("JSON.parse + JSON.stringify", parseAndWrite);

const same = defineProfile({
  name: "as the loops",
  rules: [
    { path: "Patient.telecom", action: "remove" },
    { path: "Patient.birthDate", action: "remove" },
    { path: "Patient.contact", action: "remove" },
  ],
});
for (const [name, options] of [
  ["one walk, the fields of the loops", { profile: same }],
  ["one walk, minimum-necessary", { profile: "minimum-necessary" }],
  ["one walk, safe-harbor", { profile: "safe-harbor" }],
  ["one walk, full (nothing changes)", { profile: "full" }],
  ["one walk, full + sensitive categories", { profile: "full", sensitive: [{ category: "hiv", fate: "drop" }] }],
]) {
  const { redact } = createRedactor(options);
  row(
    name,
    measure(() => redact(bundle)),
  );
}

row(
  "hand-written: copy what is changed, delete",
  measure(() => copying(bundle)),
);
row(
  "hand-written: structuredClone, delete",
  measure(() => deleting(structuredClone(bundle))),
);
row(
  "hand-written: JSON clone, delete",
  measure(() => deleting(JSON.parse(JSON.stringify(bundle)))),
);

const library = fastRedact({
  paths: ["text", "telecom", "birthDate", "contact", "subject.display"].map((path) => `entry[*].resource.${path}`),
  censor: undefined,
  serialize: false,
});
row(
  "fast-redact, the same fields, and restore",
  measure(() => {
    library(bundle);
    library.restore(bundle);
  }),
);

/** The four fields, by hand: knows nothing of `contained`, extensions, `_elements` or other types. */
function copying(input) {
  return {
    ...input,
    entry: input.entry.map((entry) => {
      const { text: _text, telecom: _telecom, birthDate: _birthDate, contact: _contact, ...resource } = entry.resource;
      if (resource.subject !== undefined) resource.subject = { reference: resource.subject.reference };
      return { ...entry, resource };
    }),
  };
}

function deleting(copy) {
  for (const { resource } of copy.entry) {
    delete resource.text;
    delete resource.telecom;
    delete resource.birthDate;
    delete resource.contact;
    if (resource.subject !== undefined) delete resource.subject.display;
  }
  return copy;
}

function row(name, cost) {
  console.log(
    `${name.padEnd(46)}${cost.toFixed(1).padStart(9)} us  ${(cost / parseAndWrite).toFixed(2)} of parse + write`,
  );
}

/** Best of seven rounds, in microseconds of processor time: a busy machine does not count. */
function measure(work) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < unlessQuick(7); round++) {
    const start = process.cpuUsage();
    let runs = 0;
    let spent = 0;
    while (spent < unlessQuick(150_000, 1000)) {
      for (let batch = 0; batch < 20; batch++) work();
      runs += 20;
      const { user, system } = process.cpuUsage(start);
      spent = user + system;
    }
    best = Math.min(best, spent / runs);
  }
  return best;
}
