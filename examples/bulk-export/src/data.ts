export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [member: string]: unknown;
}

/** The EHR's records: two patients, each with a pulse and a diagnosis. */
export const RECORDS: readonly Resource[] = ["anna", "ben"].flatMap((id) => [
  {
    resourceType: "Patient",
    id,
    identifier: [{ system: "urn:example:mrn", value: `MRN-${id}-0001` }],
    name: [{ family: "Example", given: [id] }],
    birthDate: "1980-04-01",
  },
  {
    resourceType: "Observation",
    id: `${id}-pulse`,
    status: "final",
    code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
    subject: { reference: `Patient/${id}` },
    valueQuantity: { value: 68, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
  },
  {
    resourceType: "Condition",
    id: `${id}-diagnosis`,
    subject: { reference: `Patient/${id}` },
    code: { text: "Nobody was approved for conditions" },
  },
]);
