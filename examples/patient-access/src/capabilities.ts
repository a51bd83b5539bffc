/** Where apps are sent to be authorised; published in the CapabilityStatement. */
export interface OAuthEndpoints {
  readonly authorize: string;
  readonly token: string;
}

const RESOURCE_INTERACTIONS = [
  "read",
  "vread",
  "update",
  "patch",
  "delete",
  "history-instance",
  "create",
  "search-type",
];

/**
 * What the server says of itself at `/metadata`. Many SMART apps still look for the OAuth endpoints here.
 *
 * @see https://hl7.org/fhir/R4/capabilitystatement.html
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-cs
 */
export function capabilityStatement(types: readonly string[], oauth?: OAuthEndpoints): object {
  return {
    resourceType: "CapabilityStatement",
    status: "active",
    date: "2019-11-01",
    kind: "capability",
    fhirVersion: "4.0.1",
    format: ["application/fhir+json"],
    rest: [
      {
        mode: "server",
        ...(oauth === undefined ? {} : { security: securityOf(oauth) }),
        resource: types.map((type) => ({
          type,
          interaction: RESOURCE_INTERACTIONS.map((code) => ({ code })),
          versioning: "versioned",
          updateCreate: true,
        })),
        interaction: [{ code: "batch" }, { code: "transaction" }],
      },
    ],
  };
}

function securityOf({ authorize, token }: OAuthEndpoints): object {
  return {
    extension: [
      {
        url: "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        extension: [
          { url: "authorize", valueUri: authorize },
          { url: "token", valueUri: token },
        ],
      },
    ],
    service: [
      {
        coding: [{ system: "http://terminology.hl7.org/CodeSystem/restful-security-service", code: "SMART-on-FHIR" }],
      },
    ],
  };
}
