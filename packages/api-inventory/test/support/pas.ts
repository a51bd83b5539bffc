import type { Json } from "@wardline/policy-types/express";

type JsonObject = { [name: string]: Json };

/** A PAS request: a Bundle whose first entry is the Claim. */
export function pasRequest(claim: JsonObject = {}): JsonObject {
  const resource: JsonObject = {
    resourceType: "Claim",
    use: "preauthorization",
    identifier: [{ system: "urn:trace", value: "claim-secret-1" }],
    patient: { reference: "Patient/jane-doe" },
    priority: { coding: [{ code: "normal" }] },
    item: [item("I")],
    ...claim,
  };
  return {
    resourceType: "Bundle",
    type: "collection",
    entry: [{ resource }, { resource: { resourceType: "Patient", id: "jane-doe" } }],
  };
}

export function item(certificationType: string): JsonObject {
  return {
    extension: [
      {
        url: "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-certificationType",
        valueCodeableConcept: {
          coding: [{ system: "https://codesystem.x12.org/005010/1322", code: certificationType }],
        },
      },
    ],
  };
}

export function adjudicated(action: string): JsonObject {
  const code = {
    url: "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewActionCode",
    valueCodeableConcept: { coding: [{ system: "https://codesystem.x12.org/005010/306", code: action }] },
  };
  const review = {
    url: "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction",
    extension: [code],
  };
  return { adjudication: [{ extension: [review] }] };
}

export function claimResponse(changes: JsonObject = {}): JsonObject {
  return {
    resourceType: "ClaimResponse",
    id: "cr-secret-1",
    use: "preauthorization",
    outcome: "complete",
    patient: { reference: "Patient/jane-doe" },
    identifier: [{ system: "urn:payer", value: "response-secret-1" }],
    request: { identifier: { system: "urn:trace", value: "claim-secret-1" } },
    item: [adjudicated("A1")],
    ...changes,
  };
}

export function pasAnswer(...responses: JsonObject[]): JsonObject {
  return { resourceType: "Bundle", type: "collection", entry: responses.map((resource) => ({ resource })) };
}
