// The service's database, in memory.
const patients = new Map(
  [
    { resourceType: "Patient", id: "anna", name: [{ family: "Example", given: ["Anna"] }], birthDate: "1980-04-01" },
    { resourceType: "Patient", id: "ben", name: [{ family: "Example", given: ["Ben"] }], birthDate: "1975-09-12" },
  ].map((patient) => [
    patient.id,
    {
      ...patient,
      identifier: [{ system: "http://hl7.org/fhir/sid/us-ssn", value: "999-12-3456" }],
      contact: [{ name: { family: "Example", given: ["Next of kin"] } }],
    },
  ]),
);

const observations = new Map(
  ["anna", "ben"].map((patient) => [
    `${patient}-pulse`,
    {
      resourceType: "Observation",
      id: `${patient}-pulse`,
      status: "final",
      code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
      subject: { reference: `Patient/${patient}` },
      valueQuantity: { value: 72, unit: "/min" },
    },
  ]),
);

module.exports = { patients, observations };
