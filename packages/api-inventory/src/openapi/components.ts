const FHIR_JSON = "application/fhir+json";

function content(schema: string, mediaType = FHIR_JSON): object {
  return { [mediaType]: { schema: { $ref: `#/components/schemas/${schema}` } } };
}

/** What all operations share. The shapes say what R4 says of every resource; profiles are in the CapabilityStatement. */
export const COMPONENTS: Readonly<
  Record<"schemas" | "parameters" | "requestBodies" | "responses", Readonly<Record<string, object>>>
> = Object.freeze({
  schemas: {
    id: { type: "string", pattern: "^[A-Za-z0-9\\-.]{1,64}$" },
    resource: {
      type: "object",
      required: ["resourceType"],
      properties: { resourceType: { type: "string" }, id: { $ref: "#/components/schemas/id" } },
    },
    bundle: {
      type: "object",
      required: ["resourceType", "type"],
      properties: {
        resourceType: { const: "Bundle" },
        type: { type: "string" },
        entry: { type: "array", items: { type: "object" } },
      },
    },
    refusal: {
      type: "object",
      description: "An OperationOutcome; on endpoints that are not FHIR, problem details (RFC 9457).",
      properties: { resourceType: { const: "OperationOutcome" }, issue: { type: "array", items: { type: "object" } } },
    },
    any: { description: "As the endpoint or the operation defines it." },
    form: { type: "object", additionalProperties: true },
  },
  parameters: {
    query: {
      name: "parameters",
      in: "query",
      description: "Search parameters of R4 for the type.",
      style: "form",
      explode: true,
      schema: { type: "object", additionalProperties: { type: "string" } },
    },
  },
  requestBodies: {
    resource: { required: true, content: content("resource") },
    bundle: { required: true, content: content("bundle") },
    patch: { required: true, content: { ...content("any", "application/json-patch+json"), ...content("resource") } },
    form: { content: content("form", "application/x-www-form-urlencoded") },
    parameters: { content: { ...content("any"), ...content("any", "application/json") } },
  },
  responses: {
    resource: { description: "The resource.", content: content("resource") },
    bundle: { description: "A Bundle.", content: content("bundle") },
    any: { description: "The answer.", content: { ...content("any"), ...content("any", "application/json") } },
    none: { description: "Done, or the head alone." },
    refused: {
      description: "The request was refused or failed.",
      content: { ...content("refusal"), ...content("refusal", "application/problem+json") },
    },
  },
});
