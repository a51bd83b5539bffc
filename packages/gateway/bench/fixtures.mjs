// What is served: a Patient of 2.5 kB, a search answer of 50 Observations (60 kB), lines of an export.
export const BASE = "http://127.0.0.1/fhir";
const MIB = 1024 * 1024;

const narrative = (sentence, times) => ({
  status: "generated",
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${sentence.repeat(times)}</div>`,
});

const ADMINISTRATIVE = {
  text: narrative("A person of the town. ", 50),
  identifier: [
    { use: "official", system: "urn:oid:2.16.840.1.113883.4.1", value: "999-12-3456" },
    { use: "usual", system: "https://hospital.example.org/mrn", value: "MRN-0042137" },
  ],
  active: true,
  name: [
    { use: "official", family: "Example", given: ["Ann", "Maria"] },
    { use: "maiden", family: "Sample", given: ["Ann"] },
  ],
  telecom: [
    { system: "phone", value: "+1-555-555-0142", use: "home" },
    { system: "email", value: "ann@example.org" },
  ],
  gender: "female",
  birthDate: "1980-02-03",
  address: [{ use: "home", line: ["1 Street", "Apartment 2"], city: "Town", state: "MA", postalCode: "02134" }],
  contact: [{ name: { family: "Example", given: ["Bob"] }, telecom: [{ system: "phone", value: "+1-555-555-0143" }] }],
  generalPractitioner: [{ reference: "Practitioner/p1", display: "Dr. Practice" }],
};
export const NEW_PATIENT = { resourceType: "Patient", ...ADMINISTRATIVE };
export const PATIENT = {
  resourceType: "Patient",
  id: "a",
  meta: { versionId: "1", lastUpdated: "2026-01-01T00:00:00Z" },
  ...ADMINISTRATIVE,
};

const observation = (id) => ({
  resourceType: "Observation",
  id,
  meta: { versionId: "1", lastUpdated: "2026-01-01T00:00:00Z" },
  status: "final",
  text: narrative("Weight. ", 60),
  category: [
    { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] },
  ],
  code: { coding: [{ system: "http://loinc.org", code: "29463-7", display: "Body weight" }] },
  subject: { reference: "Patient/a", display: "Ann Example" },
  effectiveDateTime: "2026-01-01T10:00:00Z",
  valueQuantity: { value: 70.5, unit: "kg", system: "http://unitsofmeasure.org", code: "kg" },
});
export const OBSERVATIONS = {
  resourceType: "Bundle",
  type: "searchset",
  total: 50,
  entry: Array.from({ length: 50 }, (_, index) => ({
    fullUrl: `${BASE}/Observation/o${index}`,
    resource: observation(`o${index}`),
    search: { mode: "match" },
  })),
};

/** Megabytes of NDJSON, written as fast as the other side takes them. */
export async function writeExport(res, megabytes) {
  const lines = Array.from({ length: 64 }, (_, index) => `${JSON.stringify(observation(`o${index}`))}\n`).join("");
  const chunk = Buffer.from(lines);
  res.setHeader("Content-Type", "application/fhir+ndjson");
  for (let left = megabytes * MIB; left > 0; left -= chunk.length) {
    if (!res.write(chunk)) await new Promise((resolve) => res.once("drain", resolve));
  }
  res.end();
}
