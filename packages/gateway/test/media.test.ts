import { expect, it } from "vitest";
import { mediaTypeFor } from "../src/proxy/media.ts";

const FHIR = "application/fhir+json; charset=utf-8";
const PLAIN = "application/json; charset=utf-8";

it.each([
  ["application/json", PLAIN],
  ["APPLICATION/JSON", PLAIN],
  ["text/json", "text/json; charset=utf-8"],
  ["application/json, text/plain, */*", PLAIN],
  ["application/json, application/fhir+json", PLAIN],
  ["application/json;q=0.5, application/fhir+json", FHIR],
  ["application/fhir+json; fhirVersion=4.0, application/json", FHIR],
  ["application/json;q=0, */*", FHIR],
  ["application/json-patch+json", FHIR],
  ["application/fhir+json", FHIR],
  ["*/*", FHIR],
  [undefined, FHIR],
])("FHIR's JSON is called by the name it was asked for: %s", (accept, expected) => {
  expect(mediaTypeFor(FHIR, accept, "/Patient/1")).toBe(expected);
});

it("what is no FHIR keeps its name, and `_format` goes before", () => {
  expect(mediaTypeFor("application/pdf", "application/json", "/Binary/1")).toBe("application/pdf");
  expect(mediaTypeFor("application/fhir+ndjson", "application/json", "/Patient")).toBe("application/fhir+ndjson");
  expect(mediaTypeFor(FHIR, "application/json", "/Patient?name=a&_format=json")).toBe(FHIR);
});
