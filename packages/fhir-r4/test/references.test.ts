import { parseReference } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

const OPTIONS = { baseUrls: ["https://fhir.example.org/fhir", "https://old.example.org/r4/"] };

describe("parseReference", () => {
  it.each([
    ["Patient/1", { kind: "literal", type: "Patient", id: "1" }],
    ["Patient/1/_history/2", { kind: "literal", type: "Patient", id: "1", versionId: "2" }],
    ["https://fhir.example.org/fhir/Patient/1", { kind: "literal", type: "Patient", id: "1" }],
    ["https://old.example.org/r4/Patient/1/_history/2", { kind: "literal", type: "Patient", id: "1", versionId: "2" }],
    ["#p1", { kind: "contained", id: "p1" }],
    [
      "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
      { kind: "urn", urn: "urn:uuid:c757873d-ec9a-4326-a141-556f43239520" },
    ],
    ["urn:oid:1.2.3", { kind: "urn", urn: "urn:oid:1.2.3" }],
    ["https://other.example.org/fhir/Patient/1", { kind: "external" }],
    ["https://fhir.example.org/fhirx/Patient/1", { kind: "external" }],
    ["HTTPS://fhir.example.org/fhir/Patient/1", { kind: "external" }],
    ["https://fhir.example.org:443/fhir/Patient/1", { kind: "external" }],
    ["urn:x:1", { kind: "external" }],
  ])("%s", (text, expected) => {
    expect(parseReference(text, OPTIONS)).toEqual(expected);
  });

  it.each([
    "",
    "Patient",
    "Patient/",
    "/Patient/1",
    "patient/1",
    "PATIENT/1",
    "Patient/1 ",
    " Patient/1",
    "Patient/1\n",
    "./Patient/1",
    "../Patient/1",
    "Patient/..",
    "Patient/.",
    "Patient//1",
    "Patient/1/",
    "Patient/1/_history",
    "Patient/1/_history/",
    "Patient/1/Observation/2",
    "Patient/1?x=y",
    "Patient/1#x",
    "Patient/%31",
    "Patient\\1",
    "Patient/a_b",
    `Patient/${"a".repeat(65)}`,
    "Patient?identifier=1",
    "Pat\u0131ent/1",
    "Foo/1",
    "__proto__/1",
    "#",
    "#a b",
    "https://fhir.example.org/fhir/",
    "https://fhir.example.org/fhir/Patient",
    "https://fhir.example.org/fhir/../fhir/Patient/1",
    "https://fhir.example.org/fhir//Patient/1",
    "https://fhir.example.org/fhir/patient/1",
  ])("%j is invalid", (text) => {
    expect(parseReference(text, OPTIONS)).toEqual({ kind: "invalid" });
  });

  it("knows no absolute URL without a base", () => {
    expect(parseReference("https://fhir.example.org/fhir/Patient/1")).toEqual({ kind: "external" });
  });
});
