import { renderQuery } from "@wardline/fhir-r4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../support/cpu.ts";
import { check } from "./support.ts";

/** Each parameter with values of its grammar, and each grammar's corruptions, one change at a time. */
const GRAMMARS: Readonly<Record<string, { readonly good: readonly string[]; readonly bad: readonly string[] }>> = {
  // number
  "RiskAssessment?probability": {
    good: ["0", "0.8", "-1", "gt0.8", "le1e2", "ap5.40", "eq100", "1E-3", "1,2"],
    bad: [
      ".5",
      "5.",
      "+5",
      "05",
      "1e",
      "1e1000",
      "gtgt1",
      "xx1",
      "GT1",
      "gt",
      "gt 1",
      " 1",
      "1 ",
      "0x1",
      "NaN",
      "Infinity",
      "1..2",
      "--1",
      "1|",
      "1,",
      ",1",
      "1,,2",
      "\u0661",
      "9".repeat(41),
    ],
  },
  // date
  "Patient?birthdate": {
    good: [
      "2013",
      "2013-01",
      "2013-01-14",
      "ge2013-01-14",
      "sa2013-01-14T10:00",
      "2013-01-14T10:00:00Z",
      "2013-01-14T10:00:00.123%2B05:30",
      "eb2013-01-14T10:00-05:00",
      "2016-02-29",
      "2016-12-31T23:59:60Z",
      "2000-02-29",
      "2013,2014",
    ],
    bad: [
      "13",
      "20130114",
      "2013-1",
      "2013-13",
      "2013-00",
      "2013-01-32",
      "2013-02-30",
      "2015-02-29",
      "1900-02-29",
      "0000",
      "2013-01-14T10",
      "2013-01-14T",
      "2013-01-14T24:00",
      "2013-01-14T10:60",
      "2013-01-14T10:00:61Z",
      "2013-01-14T10:00:00.",
      "2013-01-14T10:00:00%2005:30",
      "2013-01-14T10:00:00%2B15:00",
      "2013-01-14T10:00:00%2B14:30",
      "2013-01-14T10:00:00%2B5:30",
      "2013-01-14 10:00",
      "2013-01-14t10:00",
      "2013-01-14T10:00z",
      "xx2013",
      "ge",
      "GE2013",
      "-2013",
      "2013/01/14",
      "today",
      "2013-01-14T10:00:00.1234567890Z",
    ],
  },
  // quantity
  "Observation?value-quantity": {
    good: ["5.4", "le5.40e-3", "5.4|http://unitsofmeasure.org|mg", "ap5.4||mg", "ne0|urn:oid:1.2.3|x"],
    bad: [
      "",
      "|http://unitsofmeasure.org|mg",
      "5.4|mg",
      "5.4|http://unitsofmeasure.org|",
      "5.4||",
      "5.4|a b|mg",
      "5.4|s|mg|x",
      "mg",
      "xx5.4",
      "5,4|",
      "5.4| |mg",
      "5.4||%20mg",
    ],
  },
  // token
  "Observation?code": {
    good: ["a", "http://loinc.org|8867-4", "|a", "http://loinc.org|", "a b", "a\\|b", "a\\,b", "urn:oid:1.2|3,4"],
    bad: ["|", "", "a|b|c", "a b|c", "%20a", "a%20", "s|%20c", "s|c%20", "a\\b", "a\\", "a%01", "a%0Ab", "a,", "%09"],
  },
  // boolean token
  "Patient?active": { good: ["true", "false", "true,false"], bad: ["TRUE", "1", "yes", "tru", "s|true"] },
  // id
  "Patient?_id": { good: ["1", "a-b.C", "1,2"], bad: ["a/b", "s|1", "a b", "a_b", "", "x".repeat(65), "*"] },
  // reference
  "Observation?subject": {
    good: [
      "23",
      "Patient/23",
      "http://example.org/fhir/Patient/23",
      "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
      "Patient/23/_history/2",
      "1,Patient/2",
      "http://example.org/q%7C1.0",
    ],
    bad: [
      "",
      "Patient/",
      "/23",
      "patient/23",
      "Nobody/23",
      "Patient/23/x",
      "Patient/a b",
      "%23p1",
      "./Patient/1",
      "../Patient/1",
      "Patient%2F1%2F_history%2F",
      "http://example.org/a b",
      "Patient/1|",
      "a_b",
      "http://x.org|1|2",
      "x".repeat(65),
    ],
  },
  "Observation?subject:Patient": { good: ["23", "Patient/23"], bad: ["", "Patient/", "Nobody/1", "%231"] },
  "Observation?subject:identifier": { good: ["http://acme.org|1", "1"], bad: ["|", "a|b|c", ""] },
  // uri
  "ValueSet?url": {
    good: ["http://acme.org/fhir/ValueSet/123", "urn:oid:1.2.3.4.5"],
    bad: ["", "http://acme.org/a b", "a%09b", "%20"],
  },
  "ValueSet?url:below": { good: ["http://acme.org/fhir/"], bad: ["", "a b"] },
  // string
  "Patient?family": {
    good: ["eve", "O'Brien", "van der Berg", "M\u00fcller", "a\\,b", "\\\\", "a\\$b", "Smith,Jones"],
    bad: ["", "a\\b", "a\\", "a,,b", "a%01b", "a%1Fb", "a%C2%85"],
  },
  "Patient?family:exact": { good: ["Eve"], bad: ["", "a\\n"] },
  "Patient?family:contains": { good: ["v"], bad: ["", "\\x"] },
  // modifiers of tokens
  "Patient?gender:missing": { good: ["true", "false"], bad: ["", "yes", "TRUE", "true "] },
  "Condition?code:text": { good: ["headache"], bad: ["", "\\h"] },
  "Condition?code:in": { good: ["http://snomed.info/sct?fhir_vs=isa/126851005", "ValueSet/1"], bad: ["", "a b"] },
  "Condition?code:not-in": { good: ["http://acme.org/vs"], bad: ["", "a b"] },
  "Condition?code:below": { good: ["http://snomed.info/sct|73211009"], bad: ["", "|", "a|b|c"] },
  "Condition?code:not": { good: ["a", "s|a"], bad: ["", "|"] },
  "Patient?identifier:of-type": {
    good: ["http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053"],
    bad: ["", "MR|446053", "s|MR|", "s||1", "|MR|1", "s|MR|1|2", "a b|MR|1"],
  },
  // composite
  "Observation?code-value-quantity": {
    good: ["http://loinc.org|8480-6$gt90", "8480-6$90|http://unitsofmeasure.org|mm[Hg]"],
    bad: ["", "8480-6", "8480-6$", "$90", "8480-6$90$1", "8480-6$x", "|$90", "8480-6\\$90"],
  },
  "MolecularSequence?chromosome-variant-coordinate": { good: ["1$lt345$gt123"], bad: ["1$lt345", "1$a$b", "1$2$3$4"] },
  // special
  "Location?near": {
    good: ["42.25|-83.69", "42.25|-83.69|11.20", "42.25|-83.69|11.20|km"],
    bad: ["", "42.25", "42.25|", "a|b", "42.25|-83.69|x", "42.25|-83.69|1|km|x", "42.25|-83.69|1|k m"],
  },
  "Patient?_list": { good: ["42", "$current-problems"], bad: ["", "$", "a b", "$CURRENT", "a/b"] },
  "Patient?_lastUpdated": { good: ["gt2020-01-01T00:00:00Z", "2020"], bad: ["", "gt", "now", "2020-1-1"] },
  "Patient/1/_history?_since": {
    good: ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5-05:00"],
    bad: [
      "2020-01-01",
      "2020-01-01T00:00Z",
      "2020-01-01T00:00:00",
      "gt2020-01-01T00:00:00Z",
      "",
      "2020-02-30T00:00:00Z",
    ],
  },
  "Patient/1/_history?_at": { good: ["2020", "2020-01-01T00:00:00Z"], bad: ["", "x", "2020-13"] },
  // control
  "Patient?name=a&_count": {
    good: ["0", "10", "1000"],
    bad: ["", "-1", "1001", "ten", "1.5", "1e2", " 1", "9".repeat(30)],
  },
  "Patient?name=a&_summary": {
    good: ["true", "text", "data", "count", "false"],
    bad: ["", "True", "all", "true,false"],
  },
  "Patient?name=a&_total": { good: ["none", "estimate", "accurate"], bad: ["", "all", "None"] },
  "Patient?name=a&_contained": { good: ["false", "true", "both"], bad: ["", "all"] },
  "Patient?name=a&_containedType": { good: ["container", "contained"], bad: ["", "both"] },
  "Patient?name=a&_elements": {
    good: ["id", "name,birthDate", "Patient.name", "multipleBirth", "multipleBirthInteger", "meta,text,contained"],
    bad: [
      "",
      "Name",
      "name,",
      "name.given",
      "a b",
      "__proto__",
      "surname",
      "valueQuantity",
      "Observation.name",
      "Nobody.name",
      "resourceType",
    ],
  },
  "Patient?name=a&_pretty": { good: ["true", "false"], bad: ["", "yes"] },
  "Patient?name=a&_sort": {
    good: ["birthdate", "-birthdate", "family,-_lastUpdated", "_id"],
    bad: ["", "nothing", "+birthdate", "birthdate,", "-", "name:exact", "birthdate:desc"],
  },
  "Patient?name=a&_include": {
    good: ["Patient:general-practitioner", "Patient:general-practitioner:Practitioner", "*", "Patient:*"],
    bad: [
      "",
      "Patient",
      "Patient:name",
      "Patient:nothing",
      "Nobody:x",
      "Patient:general-practitioner:Device",
      "Patient:general-practitioner:Practitioner:x",
      "Patient:link,Patient:organization",
    ],
  },
  "Patient?name=a&_revinclude": {
    good: ["Observation:patient", "Provenance:target"],
    bad: ["", "Observation:code", "Observation"],
  },
};

const encode = (value: string): string => value.replaceAll("+", "%2B").replaceAll(" ", "%20").replaceAll("|", "%7C");

describe("the grammar of values", () => {
  for (const [parameter, { good, bad }] of Object.entries(GRAMMARS)) {
    it.each(good)(`${parameter} takes %s`, (value) => {
      expect(check(`${parameter}=${encode(value)}`).issues).toEqual([]);
    });
    it.each(bad)(`${parameter} refuses %j`, (value) => {
      const { issues } = check(`${parameter}=${value.includes("%") ? value : encode(value)}`);
      expect(issues.length).toBeGreaterThan(0);
      for (const { severity, issue } of issues) {
        expect([severity, ["value", "invalid", "not-supported", "too-costly"].includes(issue)]).toEqual([
          "error",
          true,
        ]);
      }
    });
  }

  it("S15: any value whatever is judged without an exception and without being told back", () => {
    const parameters = Object.keys(GRAMMARS);
    fc.assert(
      fc.property(fc.constantFrom(...parameters), fc.string({ unit: "grapheme", minLength: 4 }), (parameter, value) => {
        const secret = `${value}Zq7`;
        const { issues } = check(`${parameter}${renderQuery([["", secret]])}`);
        expect(JSON.stringify(issues)).not.toContain("Zq7");
      }),
      { numRuns: 500 },
    );
  });

  it("S10: a long value takes linear time", () => {
    for (const parameter of Object.keys(GRAMMARS)) {
      for (const piece of ["1", "a", "a|", "a\\", "2013-", "-", "%20", ",", "$", "0,", "a.", "e1"]) {
        const spent = cpuMilliseconds(() => void check(`${parameter}=${piece.repeat(20_000)}`));
        expect(spent, `${parameter} ${piece}`).toBeLessThan(250);
      }
    }
  }, 60_000);
});
