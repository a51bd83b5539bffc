import type { Resource } from "./data.ts";

export interface AuthorizationWish {
  readonly member: string;
  /** The clinic's number of the request. */
  readonly number: string;
  /** What for: `scan` is approved, `trial` is pended and approved later, everything else is denied. Default `scan`. */
  readonly service?: string;
  /** The usual time could harm the patient. */
  readonly urgent?: boolean;
  /** Number of the denied request that is to be looked at again. */
  readonly appeals?: string;
}

export interface SubmittedBundle {
  readonly entry?: readonly { readonly resource: Resource }[];
}

const CLAIMS = "urn:example:clinic:claim";
const SERVICES = "urn:example:service";
const X12 = "https://codesystem.x12.org/005010";
const PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition";
const TERMS = "http://terminology.hl7.org/CodeSystem";

/** A request for prior authorisation as Da Vinci PAS sends it, made smaller. */
export function priorAuthorization(wish: AuthorizationWish): object {
  const { member, number, service = "scan", urgent = false, appeals } = wish;
  const claim = {
    resourceType: "Claim",
    id: "claim",
    identifier: [{ system: CLAIMS, value: number }],
    status: "active",
    type: { coding: [{ system: `${TERMS}/claim-type`, code: "professional" }] },
    use: "preauthorization",
    patient: { reference: `Patient/${member}` },
    created: "2026-11-01",
    insurer: { display: "The payer" },
    provider: { display: "St. Elsewhere" },
    priority: { coding: [{ system: `${TERMS}/processpriority`, code: urgent ? "stat" : "normal" }] },
    insurance: [{ sequence: 1, focal: true, coverage: { reference: `Coverage/${member}-coverage` } }],
    ...(appeals === undefined ? {} : { related: [{ claim: { identifier: { system: CLAIMS, value: appeals } } }] }),
    item: [
      {
        // X12 UM02: initial, or the standard appeal.
        extension: [coded("extension-certificationType", "1322", appeals === undefined ? "I" : "2")],
        sequence: 1,
        productOrService: { coding: [{ system: SERVICES, code: service }] },
      },
    ],
  };
  return {
    resourceType: "Bundle",
    type: "collection",
    entry: [{ fullUrl: "urn:uuid:1b671a64-40d5-491e-99b0-da01ff1f3341", resource: claim }],
  };
}

/** X12 HCR01: certified in total, not certified, pended. */
export type Action = "A1" | "A3" | "A4";

/** What the payer's reviewers say at once: to an appeal always yes. */
export function reviewed(claim: Resource): Action {
  const { related, item } = claim as unknown as {
    readonly related?: readonly unknown[];
    readonly item?: readonly {
      readonly productOrService?: { readonly coding?: readonly { readonly code?: string }[] };
    }[];
  };
  const service = item?.[0]?.productOrService?.coding?.[0]?.code;
  if (service === "scan" || related !== undefined) return "A1";
  return service === "trial" ? "A4" : "A3";
}

/** The answer to a request, as PAS writes it. A denial says why. */
export function answerTo(claim: Resource, id: string, action: Action): Resource {
  return {
    resourceType: "ClaimResponse",
    id,
    status: "active",
    type: claim["type"],
    use: "preauthorization",
    patient: claim["patient"],
    created: new Date().toISOString(),
    insurer: claim["insurer"],
    request: { identifier: (claim["identifier"] as readonly unknown[] | undefined)?.[0] },
    outcome: action === "A4" ? "queued" : "complete",
    ...(action === "A1" ? { preAuthRef: `AUTH-${id}` } : {}),
    ...(action === "A3" ? { disposition: "Not medically necessary; conservative treatment was not tried" } : {}),
    item: [
      {
        itemSequence: 1,
        adjudication: [
          {
            extension: [
              { url: `${PAS}/extension-reviewAction`, extension: [coded("extension-reviewActionCode", "306", action)] },
            ],
            category: { coding: [{ system: `${TERMS}/adjudication`, code: "submitted" }] },
          },
        ],
      },
    ],
  };
}

function coded(extension: string, system: string, code: string): object {
  return {
    url: `${PAS}/${extension}`,
    valueCodeableConcept: { coding: [{ system: `${X12}/${system}`, code }] },
  };
}
