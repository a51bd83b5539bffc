import { randomUUID } from "node:crypto";

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

/** A request for prior authorisation as Da Vinci PAS sends it, made smaller. */
export function priorAuthorization(member: string, number: string): object {
  const claim = {
    resourceType: "Claim",
    id: "claim",
    identifier: [{ system: "urn:example:clinic:claim", value: number }],
    status: "active",
    type: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/claim-type", code: "professional" }] },
    use: "preauthorization",
    patient: { reference: `Patient/${member}` },
    created: "2026-11-01",
    insurer: { display: "The payer" },
    provider: { display: "St. Elsewhere" },
    priority: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/processpriority", code: "normal" }] },
    insurance: [{ sequence: 1, focal: true, coverage: { reference: `Coverage/${member}-coverage` } }],
  };
  return {
    resourceType: "Bundle",
    type: "collection",
    entry: [{ fullUrl: "urn:uuid:1b671a64-40d5-491e-99b0-da01ff1f3341", resource: claim }],
  };
}

/** What the payer's reviewers say to it: yes. */
export function decided(bundle: SubmittedBundle): Resource {
  const claim = bundle.entry?.find(({ resource }) => resource.resourceType === "Claim")?.resource;
  const answer = {
    resourceType: "ClaimResponse",
    id: randomUUID(),
    status: "active",
    type: claim?.["type"],
    use: "preauthorization",
    patient: claim?.["patient"],
    created: new Date().toISOString(),
    insurer: claim?.["insurer"],
    request: { identifier: (claim?.["identifier"] as readonly unknown[] | undefined)?.[0] },
    outcome: "complete",
    preAuthRef: `AUTH-${randomUUID()}`,
  };
  return {
    resourceType: "Bundle",
    type: "collection",
    entry: [{ fullUrl: "urn:uuid:26b1d2e1-6a12-4f0e-9a39-6f3fd3b0a3f2", resource: answer }],
  };
}

export interface SubmittedBundle {
  readonly entry?: readonly { readonly resource: Resource }[];
}
