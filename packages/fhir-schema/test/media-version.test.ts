import { describe, expect, it } from "vitest";
import { chooseFhirVersion, type VersionStatements } from "../src/index.ts";

const R4B = "application/fhir+json; fhirVersion=4.3";
const R4 = "application/fhir+json; fhirVersion=4.0";
const R5 = "application/fhir+json; fhirVersion=5.0";

describe("chooseFhirVersion", () => {
  it.each<[what: string, said: VersionStatements, version: string]>([
    ["nothing", {}, "4.0"],
    ["any type", { accept: "*/*" }, "4.0"],
    ["FHIR JSON of no version", { accept: "application/fhir+json" }, "4.0"],
    ["the other version", { accept: R4B }, "4.3"],
    ["it in full, quoted, in other letters", { accept: 'Application/FHIR+JSON;FHIRVERSION="4.3.0"' }, "4.3"],
    ["it second", { accept: `${R4B};q=0.5, ${R4}` }, "4.0"],
    ["it first, though written last", { accept: `${R4};q=0.1, ${R4B};q=0.2` }, "4.3"],
    ["it after one that is not served", { accept: `${R5}, ${R4B};q=0.5` }, "4.3"],
    ["it, but never", { accept: `${R4B};q=0, application/fhir+json;q=0.1` }, "4.0"],
    ["only one that is not served", { accept: R5 }, "4.0"],
    ["a body of it", { contentType: R4B }, "4.3"],
    ["a body of it, and an answer of another", { contentType: R4B, accept: R4 }, "4.3"],
    ["a body of none, an answer of it", { contentType: "application/fhir+json", accept: R4B }, "4.3"],
    ["it by _format", { format: R4B, accept: R4 }, "4.3"],
    ["a _format of no version", { format: "json", accept: R4B }, "4.3"],
  ])("R4 3.1.0.1.14: whoever names %s is answered in it", (_what, said, version) => {
    expect(chooseFhirVersion(said, ["4.0", "4.3"])).toBe(version);
  });
});
