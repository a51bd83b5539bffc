/** A small API with every kind of thing that is judged. */
export const CLAIMS = {
  openapi: "3.0.3",
  info: { title: "Claims", version: "1" },
  paths: {
    "/claims/{claim}": {
      parameters: [{ $ref: "#/components/parameters/claim" }],
      get: {
        responses: {
          "200": { content: { "application/json": { schema: { $ref: "#/components/schemas/Claim" } } } },
          "4XX": { content: { "application/json": { schema: { type: "object" } } } },
        },
      },
      patch: { requestBody: { content: { "application/json": {}, "text/*": {} } }, responses: { default: {} } },
    },
    "/claims/summary": { get: { responses: { default: { content: { "application/json": {} } } } } },
    "/claims": {
      get: {
        parameters: [
          {
            name: "status",
            in: "query",
            schema: { type: "array", items: { enum: ["open", "closed"], type: "string" } },
          },
          { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: 100 } },
          { name: "since", in: "query", schema: { type: "string", format: "date" } },
          { name: "flag", in: "query", allowEmptyValue: true, schema: { type: "boolean" } },
          {
            name: "near",
            in: "query",
            explode: false,
            schema: { type: "array", maxItems: 2, items: { type: "number" } },
          },
          { name: "range", in: "query", schema: { $ref: "#/components/schemas/Range" } },
          { name: "X-Tenant", in: "header", schema: { type: "string", pattern: "^[a-z0-9-]+$" } },
          { name: "session", in: "cookie", schema: { type: "string", pattern: "^[0-9a-f]{8}$" } },
        ],
        responses: { default: {} },
      },
      post: { requestBody: { $ref: "#/components/requestBodies/claim" }, responses: { default: {} } },
    },
    "/reports/r-{number}.json": {
      get: {
        parameters: [{ name: "number", in: "path", required: true, schema: { type: "integer" } }],
        responses: { "200": { content: { "text/*": {} } } },
      },
    },
    "/audit": {
      get: {
        parameters: [{ name: "day", in: "query", required: true, schema: { type: "string", format: "date" } }],
        responses: { "204": { description: "nothing" } },
      },
    },
  },
  components: {
    parameters: {
      claim: { name: "claim", in: "path", required: true, schema: { type: "string", pattern: "^[a-z0-9 ]{1,64}$" } },
    },
    requestBodies: {
      claim: {
        required: true,
        content: { "application/json": { schema: { $ref: "#/components/schemas/Claim" } } },
      },
    },
    schemas: {
      Range: { type: "object", properties: { from: { type: "integer" }, to: { type: "integer" } } },
      Claim: {
        type: "object",
        additionalProperties: false,
        required: ["id", "amount"],
        properties: {
          id: { type: "string", readOnly: true },
          pin: { type: "string", writeOnly: true },
          amount: { type: "number", minimum: 0, exclusiveMinimum: true },
          note: { type: "string" },
          lines: {
            type: "array",
            uniqueItems: true,
            items: {
              type: "object",
              properties: { code: { type: "string" }, note: { type: "string", nullable: true } },
            },
          },
          parent: { $ref: "#/components/schemas/Claim" },
        },
      },
    },
  },
} as const;
