// What it costs to judge a page of 50 Observations, beside the JSON.parse that had to come first. Rounds are short and the best one
// counts, so that a busy machine shows less.
import { parseInteraction } from "@wardline/fhir-r4";
import { compiled } from "../../../scripts/compiled.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";

const [{ createGuard }, { createRights }] = await compiled(
  import.meta.url,
  "../src/guard/answer.ts",
  "../src/rights.ts",
);

const ROUNDS = unlessQuick(200);
const PER_ROUND = unlessQuick(10);
const BASE = "https://fhir.example.org/fhir";
const UPSTREAM = "http://ehr.internal/fhir";
const LOINC = "http://loinc.org";
const CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category";

const observation = (at) => ({
  resourceType: "Observation",
  id: `o-${at}`,
  meta: {
    versionId: "3",
    lastUpdated: "2026-01-31T12:00:00.000Z",
    profile: ["http://hl7.org/fhir/StructureDefinition/vitalsigns"],
  },
  status: "final",
  category: [{ coding: [{ system: CATEGORY, code: "vital-signs", display: "Vital Signs" }], text: "Vital Signs" }],
  code: { coding: [{ system: LOINC, code: "85354-9", display: "Blood pressure panel" }], text: "Blood pressure" },
  subject: { reference: "Patient/p1", display: "A patient" },
  encounter: { reference: `Encounter/e-${at % 7}` },
  effectiveDateTime: `2026-01-${String((at % 28) + 1).padStart(2, "0")}T09:30:10+01:00`,
  issued: "2026-01-31T12:00:00.000Z",
  performer: [{ reference: "Practitioner/d1", display: "A practitioner" }],
  interpretation: [
    { coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", code: "N" }] },
  ],
  component: [
    ["8480-6", "Systolic blood pressure", 107],
    ["8462-4", "Diastolic blood pressure", 60],
  ].map(([code, display, value]) => ({
    code: { coding: [{ system: LOINC, code, display }], text: display },
    valueQuantity: { value, unit: "mmHg", system: "http://unitsofmeasure.org", code: "mm[Hg]" },
  })),
});
const bundle = {
  resourceType: "Bundle",
  type: "searchset",
  total: 50,
  link: [
    { relation: "self", url: `${UPSTREAM}/Observation?subject=Patient%2Fp1` },
    { relation: "next", url: `${UPSTREAM}/Observation?subject=Patient%2Fp1&_offset=50` },
  ],
  entry: Array.from({ length: 50 }, (_, at) => ({
    fullUrl: `${UPSTREAM}/Observation/o-${at}`,
    resource: observation(at),
    search: { mode: "match" },
  })),
};
const text = JSON.stringify(bundle);

const clause = (filter) => ({
  from: "patient/Observation.rs",
  context: "patient",
  types: ["Observation"],
  letters: ["r", "s"],
  compartment: { type: "Patient", id: "p1", rule: "subject" },
  filter,
  supportTypes: [],
});
const bases = { baseUrl: BASE, baseUrls: [BASE, UPSTREAM] };
const answer = { status: 200, mediaType: "application/fhir+json", unit: "body", headers: {} };

const interaction = parseInteraction({ method: "GET", path: "/Observation", query: "" });

function guardWith(filter) {
  const access = { interaction, bound: true, because: [] };
  const rights = createRights({ clauses: [clause(filter)] }, bases);
  return createGuard(
    {
      ...bases,
      access,
      interaction,
      bound: true,
      narrowing: undefined,
      rights,
      extraParameters: new Set(["_offset"]),
      onPatients() {},
    },
    () => {},
  );
}

function best(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let at = 0; at < PER_ROUND; at++) work();
    least = Math.min(least, (performance.now() - start) / PER_ROUND);
  }
  return least * 1000;
}

const kept = guardWith([]).json(bundle, answer).body?.entry?.length;
if (kept !== 50) throw new Error(`the guard kept ${kept} of 50 entries`);

const parsing = best(() => JSON.parse(text));
// A guard belongs to one request, so making one is part of the cost.
const bound = best(() => guardWith([]).json(bundle, answer));
const filtered = best(() => guardWith([["category", `${CATEGORY}|vital-signs`]]).json(bundle, answer));

console.log(
  `a Bundle of 50 Observations, ${(text.length / 1024).toFixed(0)} KiB; JSON.parse takes ${parsing.toFixed(0)} us`,
);
console.log(
  `guard, one patient:            ${bound.toFixed(0)} us, ${(bound / parsing).toFixed(2)} of JSON.parse (goal: below 1)`,
);
console.log(
  `guard, one patient and filter: ${filtered.toFixed(0)} us, ${(filtered / parsing).toFixed(2)} of JSON.parse (goal: below 1)`,
);
