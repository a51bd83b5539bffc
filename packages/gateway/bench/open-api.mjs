// The same small API as a document, for a validator that judges requests and answers by one.
const text = { type: "string" };
const list = (items) => ({ type: "array", minItems: 1, items });
const object = (properties, required) => ({
  type: "object",
  additionalProperties: false,
  properties,
  ...(required === undefined ? {} : { required }),
});
const instant = { type: "string", format: "date-time" };
const date = { type: "string", format: "date" };
const id = { type: "string", pattern: "^[A-Za-z0-9\\-.]{1,64}$" };

const meta = object({ versionId: id, lastUpdated: instant });
const narrative = object(
  { status: { type: "string", enum: ["generated", "extensions", "additional", "empty"] }, div: text },
  ["status", "div"],
);
const reference = object({ reference: text, display: text });
const coding = object({ system: text, code: text, display: text });
const concept = object({ coding: list(coding), text });
const humanName = object({ use: text, family: text, given: list(text) });
const contactPoint = object({ system: text, value: text, use: text });

const patient = object(
  {
    resourceType: { type: "string", enum: ["Patient"] },
    id,
    meta,
    text: narrative,
    identifier: list(object({ use: text, system: text, value: text })),
    active: { type: "boolean" },
    name: list(humanName),
    telecom: list(contactPoint),
    gender: { type: "string", enum: ["male", "female", "other", "unknown"] },
    birthDate: date,
    address: list(object({ use: text, line: list(text), city: text, state: text, postalCode: text })),
    contact: list(object({ name: humanName, telecom: list(contactPoint) })),
    generalPractitioner: list(reference),
  },
  ["resourceType"],
);
const observation = object(
  {
    resourceType: { type: "string", enum: ["Observation"] },
    id,
    meta,
    status: { type: "string", enum: ["registered", "preliminary", "final", "amended"] },
    text: narrative,
    category: list(concept),
    code: concept,
    subject: reference,
    effectiveDateTime: instant,
    valueQuantity: object({ value: { type: "number" }, unit: text, system: text, code: text }),
  },
  ["resourceType", "status", "code"],
);
const bundle = object(
  {
    resourceType: { type: "string", enum: ["Bundle"] },
    type: text,
    total: { type: "integer", minimum: 0 },
    entry: list(object({ fullUrl: text, resource: observation, search: object({ mode: text }) })),
  },
  ["resourceType", "type"],
);

const content = (schema) => ({ "application/fhir+json": { schema } });
const answer = (status, schema) => ({ [status]: { description: "the answer", content: content(schema) } });

export const DOCUMENT = {
  openapi: "3.0.3",
  info: { title: "A small FHIR API", version: "1" },
  paths: {
    "/fhir/Patient/{id}": {
      get: { parameters: [{ name: "id", in: "path", required: true, schema: id }], responses: answer(200, patient) },
    },
    "/fhir/Patient": {
      post: { requestBody: { required: true, content: content(patient) }, responses: answer(201, patient) },
    },
    "/fhir/Observation": {
      get: { parameters: [{ name: "code", in: "query", schema: text }], responses: answer(200, bundle) },
    },
  },
};
