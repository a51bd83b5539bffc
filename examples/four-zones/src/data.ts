import type { Resource } from "./fhir-server.ts";

/** The hospital's records: two patients, each with what an edge has to keep apart. */
export const RECORDS: readonly Resource[] = ["anna", "ben"].flatMap((id) => [
  {
    resourceType: "Patient",
    id,
    identifier: [{ system: "http://hl7.org/fhir/sid/us-ssn", value: "999-12-3456" }],
    name: [{ family: "Example", given: [id] }],
    birthDate: "1980-04-01",
    maritalStatus: { text: "married" },
    contact: [{ name: { family: "Example", given: ["Next of kin"] } }],
  },
  observation(id, { id: `${id}-pulse` }),
  {
    resourceType: "Condition",
    id: `${id}-asthma`,
    subject: { reference: `Patient/${id}` },
    clinicalStatus: {
      coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }],
    },
    code: { coding: [{ system: "http://snomed.info/sct", code: "195967001" }] },
  },
  {
    resourceType: "Coverage",
    id: `${id}-coverage`,
    status: "active",
    beneficiary: { reference: `Patient/${id}` },
    payor: [{ display: "Payer North" }],
  },
]);

/** A pulse of 72. */
export function observation(patient: string, more: object = {}): Resource {
  return {
    resourceType: "Observation",
    status: "final",
    code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
    subject: { reference: `Patient/${patient}` },
    valueQuantity: { value: 72, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
    ...more,
  };
}
