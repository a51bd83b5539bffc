export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly [member: string]: unknown;
}

/** The payer's records: two members, each with coverage and a bill. */
export const RECORDS: readonly Resource[] = ["anna", "ben"].flatMap((id) => [
  {
    resourceType: "Patient",
    id,
    identifier: [{ system: "urn:example:member", value: `M-${id}-0001` }],
    name: [{ family: "Example", given: [id] }],
    birthDate: "1980-04-01",
  },
  {
    resourceType: "Coverage",
    id: `${id}-coverage`,
    status: "active",
    beneficiary: { reference: `Patient/${id}` },
    payor: [{ display: "The payer" }],
  },
  {
    resourceType: "ExplanationOfBenefit",
    id: `${id}-visit`,
    status: "active",
    type: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/claim-type", code: "professional" }] },
    use: "claim",
    patient: { reference: `Patient/${id}` },
    created: "2026-05-04",
    insurer: { display: "The payer" },
    provider: { display: "St. Elsewhere" },
    outcome: "complete",
    insurance: [{ focal: true, coverage: { reference: `Coverage/${id}-coverage` } }],
  },
]);
