import { matches, parseSearch } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

type Verdict = boolean | "undecided";
const BASE = { baseUrls: ["https://fhir.example.org/fhir"] };

/** `status=final` judged on an Observation. */
function judge(
  resource: { readonly resourceType: string },
  query: string,
  type: string = resource.resourceType,
): Verdict {
  const at = query.indexOf("=");
  return matches(resource, parseSearch([type], [[query.slice(0, at), query.slice(at + 1)]]).criteria, BASE);
}

function table(
  name: string,
  resource: { readonly resourceType: string },
  rows: readonly (readonly [string, Verdict])[],
): void {
  describe(name, () => {
    it.each(rows)("%s is %s", (query, expected) => {
      expect(judge(resource, query)).toBe(expected);
    });
  });
}

const LAB = "http://terminology.hl7.org/CodeSystem/observation-category";
const LOINC = "http://loinc.org";
const UCUM = "http://unitsofmeasure.org";

const observation = {
  resourceType: "Observation",
  id: "o-1",
  meta: {
    lastUpdated: "2020-06-15T12:00:00.5Z",
    profile: ["http://example.org/p|2"],
    source: "http://example.org/src/a",
    security: [{ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code: "R" }],
  },
  identifier: [{ system: "urn:mrn", value: "AB,1" }, { value: "loose" }],
  status: "final",
  category: [{ coding: [{ system: LAB, code: "laboratory" }], text: "vital-signs" }],
  code: { coding: [{ system: LOINC, code: "1234-5" }, { code: "local" }] },
  subject: { reference: "Patient/1" },
  encounter: { reference: "https://fhir.example.org/fhir/Encounter/e1/_history/3" },
  performer: [
    { reference: "Practitioner/1" },
    { reference: "https://other.example.org/fhir/Practitioner/9" },
    { identifier: { system: "urn:npi", value: "77" } },
  ],
  effectiveDateTime: "2020-06-15",
  valueQuantity: { value: 5.4, unit: "mg", system: UCUM, code: "mg" },
  component: [{ valueQuantity: { value: 7, comparator: "<", unit: "mg" } }],
};

table("token", observation, [
  ["status=final", true],
  ["status=amended", false],
  ["status=amended,final", true],
  ["status=FINAL", "undecided"],
  ["status=http://hl7.org/fhir/observation-status|final", "undecided"],
  ["status=http://hl7.org/fhir/observation-status|amended", false],
  ["status=|final", "undecided"],
  [`category=${LAB}|laboratory`, true],
  ["category=laboratory", true],
  [`category=${LAB}|vital-signs`, false],
  ["category=vital-signs", false],
  [`category=${LAB}|`, true],
  ["category=http://other|laboratory", false],
  ["category=|laboratory", false],
  ["category=Laboratory", "undecided"],
  ["category=a|b|c", "undecided"],
  ["category=|", "undecided"],
  ["category=", "undecided"],
  ["category=laboratory,", "undecided"],
  ["category=\\x", "undecided"],
  ["code=|local", true],
  ["code=local", true],
  [`code=${LOINC}|local`, false],
  ["identifier=urn:mrn|AB\\,1", true],
  ["identifier=AB,1", false],
  ["identifier=|loose", true],
  ["_id=o-1", true],
  ["_id=O-1", false],
  ["_id=o-1,o-2", true],
  ["_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R", true],
  ["_security:not=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R", false],
  ["_tag:not=http://x|y", true],
  ["category:not=vital-signs", true],
  ["category:not=laboratory", false],
  ["category:not=Laboratory", "undecided"],
  ["category:not=laboratory,vital-signs", "undecided"],
  ["category:not=imaging,vital-signs", true],
  ["category:text=vital", "undecided"],
  ["code:in=http://x", "undecided"],
  ["code:below=1234-5", "undecided"],
  ["category:missing=false", true],
  ["category:missing=true", false],
  ["method:missing=true", true],
  ["method:missing=maybe", "undecided"],
  ["method:missing=true,false", "undecided"],
  ["method=x", false],
]);

table("reference", observation, [
  ["subject=Patient/1", true],
  ["subject=1", true],
  ["subject:Patient=1", true],
  ["subject:Device=1", false],
  ["subject=https://fhir.example.org/fhir/Patient/1", true],
  ["subject=https://other.example.org/fhir/Patient/1", "undecided"],
  ["subject=https://other.example.org/fhir/Patient/2", false],
  ["subject=Patient/2", false],
  ["subject=Device/1", false],
  ["subject=patient/1", "undecided"],
  ["subject=Patient/1/_history/2", "undecided"],
  ["patient=1", true],
  ["patient=Patient/1", true],
  ["patient=2", false],
  ["encounter=e1", true],
  ["encounter=Encounter/e1/_history/3", true],
  ["encounter=Encounter/e1/_history/4", false],
  ["performer=Practitioner/1", true],
  ["performer=https://other.example.org/fhir/Practitioner/9", "undecided"],
  ["performer=Practitioner/9", "undecided"],
  ["performer:identifier=urn:npi|77", true],
  ["performer:identifier=77", true],
  ["performer:identifier=78", false],
  ["performer:above=Practitioner/1", "undecided"],
  ["specimen=1", false],
  ["specimen:missing=true", true],
  ["patient:missing=false", true],
]);

table("date", observation, [
  ["date=2020-06-15", true],
  ["date=2020-06", true],
  ["date=2020", true],
  ["date=2021", false],
  ["date=2020-06-14", false],
  ["date=ne2020-06-15", false],
  ["date=gt2020-06-14", true],
  ["date=gt2020-06-15", false],
  ["date=ge2020-06-15", true],
  ["date=le2020-06-15", true],
  ["date=lt2020-06-15", false],
  ["date=lt2020-07", true],
  ["date=sa2020-06-14", true],
  ["date=sa2020-06-15", false],
  ["date=eb2020-06-16", true],
  ["date=ap2020-06-15", true],
  ["date=ap1990", "undecided"],
  ["date=2020-06-15T12:00:00Z", "undecided"],
  ["date=gt2020-06-15T12:00:00Z", "undecided"],
  ["date=gt2020-06-13T00:00:00Z", true],
  ["date=lt2020-06-13T00:00:00Z", false],
  ["date=ne2021-06-15T12:00:00Z", true],
  ["date=2020-02-30", "undecided"],
  ["date=2020-13", "undecided"],
  ["date=xx2020", "undecided"],
  ["date=20", "undecided"],
  ["date=2020-06-15T25:00:00Z", "undecided"],
  ["date=2020-06-15T12:00:00+15:00", "undecided"],
  ["_lastUpdated=gt2020-06-15T12:00:00Z", false],
  ["_lastUpdated=ge2020-06-15T12:00:00Z", true],
  ["_lastUpdated=2020-06-15T14:00:00.5+02:00", true],
  ["_lastUpdated=2020-06-15T12:00:00.6Z", false],
  ["_lastUpdated=2020-06-15", "undecided"],
  ["_lastUpdated=2020", true],
  ["_lastUpdated=gt2019", true],
]);

table("quantity", observation, [
  ["value-quantity=5.4", true],
  ["value-quantity=5.40", true],
  ["value-quantity=5", true],
  ["value-quantity=5.5", false],
  [`value-quantity=5.4|${UCUM}|mg`, true],
  [`value-quantity=5.4|${UCUM}|g`, "undecided"],
  ["value-quantity=5.4|http://other|mg", false],
  ["value-quantity=5.4||mg", true],
  ["value-quantity=5.4||g", false],
  ["value-quantity=gt5||mg", true],
  ["value-quantity=gt5.4||mg", false],
  ["value-quantity=ge5.4", true],
  ["value-quantity=lt1", false],
  ["value-quantity=sa5", true],
  ["value-quantity=eb5", false],
  ["value-quantity=ap5.4", true],
  ["value-quantity=ap6", "undecided"],
  ["value-quantity=ne5.4", false],
  ["value-quantity=5.4|", "undecided"],
  ["value-quantity=5.4|\\z|mg", "undecided"],
  ["value-quantity=5.4|a|b|c", "undecided"],
  ["value-quantity=abc", "undecided"],
  ["value-quantity=1e999", "undecided"],
  [`value-quantity=${"9".repeat(200)}`, "undecided"],
  ["component-value-quantity=7", "undecided"],
  ["combo-value-quantity=ne5.4", "undecided"],
  ["combo-value-quantity=5.4", true],
]);

table("uri", observation, [
  ["_source=http://example.org/src/a", true],
  ["_source=http://example.org/src/A", false],
  ["_source:below=http://example.org/src", true],
  ["_source:below=http://example.org/src/", true],
  ["_source:below=http://example.org/sr", "undecided"],
  ["_source:below=http://example.com/", false],
  ["_source:above=http://example.org/src/a/b", true],
  ["_source:above=http://example.org/src", false],
  ["_source:below=urn:oid:1", "undecided"],
  ["_profile=http://example.org/p|2", true],
  ["_profile=http://example.org/p", "undecided"],
  ["_profile=http://example.org/q", false],
]);

table(
  "string",
  {
    resourceType: "Patient",
    name: [{ family: "Müller-Ångström", given: ["Ann", null], text: "Dr. Ann" }],
    address: [{ line: ["1 High St"], city: "Östersund" }],
    birthDate: "1980-02-29",
    active: true,
    telecom: [
      { system: "phone", value: "+1 (555) 010-01" },
      { system: "email", value: "Ann@example.org" },
    ],
    maritalStatus: { text: "x" },
  } as { resourceType: string },
  [
    ["name=muller", true],
    ["name=MÜLLER", true],
    ["name=u\u0308", false],
    ["name=angstrom", false],
    ["name:contains=angstrom", true],
    ["name=ann", true],
    ["name=dr", "undecided"],
    ["name=bob", false],
    ["name:exact=Ann", true],
    ["name:exact=ann", false],
    ["name:exact=An", false],
    ["name:text=Ann", "undecided"],
    ["name=\u0301", "undecided"],
    ["name=", "undecided"],
    ["name=bob,ann", true],
    ["family=müller", true],
    ["given=müller", false],
    ["phonetic=ann", "undecided"],
    ["address=oster", true],
    ["address-city=oster", true],
    ["address=high", false],
    ["active=true", true],
    ["active=false", false],
    ["active=http://terminology.hl7.org/CodeSystem/special-values|true", true],
    ["active=http://other|true", "undecided"],
    ["active=yes", false],
    ["email=Ann@example.org", true],
    ["email=ann@example.org", "undecided"],
    ["email=bob@example.org", false],
    ["phone=15550 1001", "undecided"],
    ["phone=+1 (555) 010-01", true],
    ["phone=phone|+1 (555) 010-01", "undecided"],
    ["telecom=Ann@example.org", true],
    ["birthdate=1980-02-29", true],
    ["birthdate=lt1990", true],
    ["birthdate:missing=true", false],
    ["deceased=true", "undecided"],
    ["mothersMaidenName=x", "undecided"],
    ["_text=x", "undecided"],
    ["_list=1", "undecided"],
    ["_filter=x", "undecided"],
    ["_has:Observation:patient:code=x", "undecided"],
    ["organization.name=x", "undecided"],
    ["nonsense=x", "undecided"],
    ["name:nonsense=x", "undecided"],
    ["_type=Patient", true],
    ["_type=Patient,Observation", "undecided"],
  ],
);

table(
  "several values",
  { resourceType: "Goal", target: [{ dueDate: "2020" }, { dueDate: "2021" }] } as { resourceType: string },
  [
    ["target-date=2020", true],
    ["target-date=ne2020", "undecided"],
    ["target-date=gt2020", true],
    ["target-date=2019", false],
  ],
);

table("periods", { resourceType: "Encounter", period: { start: "2020-01-01T10:00:00Z" } } as { resourceType: string }, [
  ["date=gt2030-01-01T00:00:00Z", true],
  ["date=lt2020-01-01T11:00:00Z", true],
  ["date=2020-01-01T10:00:00Z", false],
  ["date=eb2030-01-01T00:00:00Z", false],
  ["date=sa2019-01-01T00:00:00Z", true],
]);

table(
  "numbers",
  { resourceType: "RiskAssessment", prediction: [{ probabilityDecimal: 100 }] } as { resourceType: string },
  [
    ["probability=100", true],
    ["probability=100.4", false],
    ["probability=1e2", true],
    ["probability=gt99.9", true],
    ["probability=gt100", false],
    ["probability=le100", true],
    ["probability=ne99", true],
    ["probability=-100", false],
  ],
);

describe("canonical references", () => {
  const plan = { resourceType: "CarePlan", instantiatesCanonical: ["http://example.org/pd|1"] };
  it.each([
    ["instantiates-canonical=http://example.org/pd|1", true],
    ["instantiates-canonical=http://example.org/pd\\|1", true],
    ["instantiates-canonical=http://example.org/pd", true],
    ["instantiates-canonical=http://example.org/pd\\|2", false],
    ["instantiates-canonical=pd", "undecided"],
    ["instantiates-canonical=http://example.org/other", false],
  ] as const)("%s is %s", (query, expected) => {
    expect(judge(plan, query)).toBe(expected);
  });
});

describe("malformed resources never match and never miss for sure", () => {
  it.each([
    [{ resourceType: "Observation", status: ["final"] }, "status=final", true],
    [{ resourceType: "Observation", status: [["final"]] }, "status=final", "undecided"],
    [{ resourceType: "Observation", status: { value: "final" } }, "status=final", "undecided"],
    [{ resourceType: "Observation", category: "laboratory" }, "category=laboratory", "undecided"],
    [{ resourceType: "Observation", category: "laboratory" }, "category:not=laboratory", "undecided"],
    [
      { resourceType: "Observation", category: [{ coding: { code: "laboratory" } }] },
      "category=laboratory",
      "undecided",
    ],
    [{ resourceType: "Observation", category: [{ coding: [{ code: 7 }] }] }, "category=7", "undecided"],
    [{ resourceType: "Observation", component: "x" }, "component-code:missing=true", "undecided"],
    [{ resourceType: "Observation", component: ["x"] }, "component-code:not=y", "undecided"],
    [{ resourceType: "Patient", telecom: ["x@example.org"] }, "email=x@example.org", "undecided"],
    [{ resourceType: "Patient", name: "Ann" }, "family=Ann", "undecided"],
    [{ resourceType: "Patient", active: "true" }, "active=true", "undecided"],
    [{ resourceType: "Observation", subject: "Patient/1" }, "subject=Patient/1", "undecided"],
    [{ resourceType: "Observation", subject: { reference: "patient/1" } }, "subject=Patient/1", "undecided"],
    [{ resourceType: "Observation", valueQuantity: { value: "5" } }, "value-quantity=5", "undecided"],
    [{ resourceType: "Observation", effectivePeriod: {} }, "date=2020", "undecided"],
    [{ resourceType: "Observation", effectivePeriod: { start: "2021", end: "2020" } }, "date=2020", "undecided"],
    [{ resourceType: "Observation", effectiveTiming: {} }, "date=2020", "undecided"],
    [{ resourceType: "Observation", method: { extension: [{}] } }, "method:missing=true", "undecided"],
    [{ resourceType: "Observation", status: null }, "status:missing=true", true],
  ] as const)("%j with %s is %s", (resource, query, expected) => {
    expect(judge(resource, query)).toBe(expected);
  });

  it.each([
    null,
    undefined,
    [],
    "x",
    {},
    { resourceType: "Foo" },
    Object.create({ resourceType: "Patient" }) as object,
  ])("%j is no resource", (value) => {
    expect(matches(value, parseSearch(["Patient"], [["_id", "1"]]).criteria)).toBe("undecided");
  });
});

describe("several criteria", () => {
  const all = (query: string) =>
    matches(observation, parseSearch(["Observation"], [...new URLSearchParams(query)]).criteria, BASE);

  it("one no is a no, without one a doubt is a doubt", () => {
    expect(all("")).toBe(true);
    expect(all("status=final&subject=Patient/1")).toBe(true);
    expect(all("status=final&subject=Patient/2")).toBe(false);
    expect(all("status=final&nonsense=1")).toBe("undecided");
    expect(all("status=amended&nonsense=1")).toBe(false);
  });

  it("a search on one type never matches another", () => {
    expect(judge(observation, "_id=o-1", "Patient")).toBe(false);
    expect(judge(observation, "_id=o-1", "*")).toBe(true);
  });
});
