import { type FhirSchemaOptions, fhirSchema } from "@wardline/fhir-schema";
import { describe } from "vitest";
import { mistakesAtStart } from "./support.ts";

const start = (options: unknown) => () => fhirSchema(options as FhirSchemaOptions);

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "options that are none": [start(null), "give an object; known options are"],
    "a misspelled option": [start({ type: ["Patient"] }), "did you mean `types`?"],
    "a misspelled type": [start({ types: ["Patent"] }), "types[0]: did you mean `Patient`?"],
    "no type at all": [start({ types: [] }), "types: write a list with at least one resource type"],
    "a report nobody hears": [start({ resources: "report" }), "give an `onReport`: without it nobody hears the report"],
    "a mode nobody knows": [start({ resources: "warn" }), "resources: write one of"],
    "a size as text": [start({ requestBodyBytes: "1mb" }), "requestBodyBytes: write a whole number from"],
    "a profile whose definition is missing": [
      start({ profiles: { structureDefinitions: [], required: { Patient: ["https://example.org/p"] } } }),
      "name profiles whose definitions are given",
    ],
    "profiles of a type that is none": [
      start({ profiles: { structureDefinitions: [], required: { Patent: [] } } }),
      "write a resource type of R4",
    ],
    "leniency as text": [start({ allowLenient: "yes" }), "allowLenient: write true or false"],
  });
});
