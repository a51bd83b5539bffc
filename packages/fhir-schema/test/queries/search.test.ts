import { renderQuery } from "@wardline/fhir-r4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "./support.ts";

const only = (url: string, ...rest: [Parameters<typeof check>[1]?, boolean?]) => {
  const { issues } = check(url, ...rest);
  expect(issues).toHaveLength(1);
  return issues[0];
};

describe("names", () => {
  it.each([
    ["a parameter R4 does not have", "Patient?surname=Smith", "not-supported", undefined],
    ["a parameter of another type", "Patient?value-quantity=1", "not-supported", undefined],
    ["another case", "Patient?Name=a", "not-supported", undefined],
    ["a misspelled control parameter", "Patient?count=10", "not-supported", undefined],
    ["a modifier of another type", "Patient?birthdate:exact=2013", "invalid", "birthdate"],
    ["a modifier nobody has", "Patient?name:fuzzy=a", "invalid", "name"],
    ["a modifier on a composite", "Observation?code-value-quantity:missing=true", "invalid", "code-value-quantity"],
    ["two modifiers", "Patient?name:exact:missing=true", "invalid", "name"],
    ["a type the reference cannot have", "Observation?subject:Practitioner=1", "invalid", "subject"],
    ["a modifier on a control parameter", "Patient?_count:exact=1", "invalid", "_count"],
    ["a chain over no reference", "Patient?name.family=a", "not-supported", undefined],
    ["a chain into nothing", "Observation?subject:Patient.surname=a", "not-supported", undefined],
    ["a chain to a type out of reach", "Observation?subject:Practitioner.name=a", "not-supported", undefined],
    ["a reverse chain over no reference", "Patient?_has:Observation:code:code=1", "not-supported", "_has"],
    ["a reverse chain of nobody", "Patient?_has:Nobody:patient:code=1", "not-supported", "_has"],
    ["half a reverse chain", "Patient?_has:Observation:patient=1", "not-supported", "_has"],
    ["a filter expression", "Patient?_filter=name eq a", "not-supported", "_filter"],
    ["a named query", "Patient?_query=everything", "not-supported", "_query"],
    ["a type that is none, across types", "?_type=Patient,Nobody&_id=1", "value", "_type"],
    ["a parameter history does not have", "Patient/1/_history?name=a", "not-supported", undefined],
    [
      "_since twice",
      "Patient/1/_history?_since=2020-01-01T00:00:00Z&_since=2021-01-01T00:00:00Z",
      "not-supported",
      undefined,
    ],
  ])("%s", (_what, url, issue, expression) => {
    const found = only(url);
    expect([found?.severity, found?.issue, found?.expression]).toEqual(["error", issue, expression]);
  });

  it.each([
    "Observation?subject:Patient.name=peter",
    "Observation?patient.identifier=http://example.com/fhir/identifier|123",
    "Patient?_has:Observation:patient:code=1234-5",
    "Patient?_has:Observation:patient:_has:AuditEvent:entity:agent=MyUserId",
    "DiagnosticReport?subject.name=peter",
    "Patient?name=a&name=b",
    "Patient?_include:iterate=Patient:link&name=a",
    "?_type=Patient,Observation&_id=1",
    "Patient/1/Observation?code=1",
    "Patient/1/_history?_count=5&_since=2020-01-01T00:00:00Z",
    "Patient?_format=json&_pretty=true",
    "Patient",
  ])("%s passes", (url) => expect(check(url)).toEqual({ issues: [], ignored: [] }));
});

describe("limits", () => {
  it("a page over the cap is told to be too much (A12: in every spelling)", () => {
    expect(only("Patient?_count=1001")?.issue).toBe("too-costly");
    expect(only("Patient?_count=%31001")?.issue).toBe("too-costly");
    expect(check("Patient?_count=50", { maxCount: 50 }).issues).toEqual([]);
    expect(only("Patient?_count=51", { maxCount: 50 })?.issue).toBe("too-costly");
  });

  it("a chain ends at the limit", () => {
    const chain = (steps: number) => `Observation?${"has-member:Observation.".repeat(steps)}code=1`;
    expect(check(chain(3)).issues).toEqual([]);
    expect(only(chain(4))?.issue).toBe("too-costly");
    expect(only(chain(40))?.issue).toBe("not-supported");
    const has = (steps: number) => `Observation?${"_has:Observation:has-member:".repeat(steps)}code=1`;
    expect(check(has(3)).issues).toEqual([]);
    expect(only(has(4))?.issue).toBe("too-costly");
  });

  it("parameters and their values are counted, of whatever name", () => {
    const times = (count: number, one: string) => Array.from({ length: count }, () => one).join("&");
    expect(check(`Patient?${times(100, "name=a")}`).issues).toEqual([]);
    expect(only(`Patient?${times(101, "name=a")}`)?.issue).toBe("too-costly");
    expect(only(`Patient?${times(101, "surname=a")}`, {}, true)?.issue).toBe("too-costly");
    const list = (count: number) => Array.from({ length: count }, (_, n) => n).join(",");
    expect(check(`Patient?_id=${list(1000)}`).issues).toEqual([]);
    expect(only(`Patient?_id=${list(1001)}`)?.issue).toBe("too-costly");
    expect(only(`Patient?vendor=${list(1001)}`, { extraParameters: new Set(["vendor"]) })?.issue).toBe("too-costly");
  });

  it("includes are counted together", () => {
    const url = `Patient?${"_include=Patient:link&".repeat(5)}${"_revinclude=Observation:patient&".repeat(5)}name=a`;
    expect(check(url).issues).toEqual([]);
    expect(only(`${url}&_include=Patient:organization`)?.issue).toBe("too-costly");
  });

  it.each([
    "_count=1&_count=2",
    "_summary=true&_summary=true",
    "_sort=name&_sort=-name",
    "_elements=id&_elements=name",
  ])("%s is given once or not at all", (query) => expect(only(`Patient?${query}`)?.issue).toBe("value"));

  it("a text summary goes with no include", () => {
    expect(only("Patient?_summary=text&_include=Patient:link")?.expression).toBe("_summary");
    expect(check("Patient?_summary=data&_include=Patient:link").issues).toEqual([]);
  });

  it("tells no more findings than it may", () => {
    const url = `Patient?${Array.from({ length: 90 }, (_, n) => `x${n}=1`).join("&")}`;
    expect(check(url).issues).toHaveLength(20);
    expect(check(url, { maxIssues: 3 }).issues).toHaveLength(3);
  });
});

describe("parameters beyond R4", () => {
  const extra = { extraParameters: new Set(["asserted-date", "_getpages", "_query"]) };

  it("pass when the route declares them, with any modifier", () => {
    expect(check("Condition?asserted-date=ge2020&patient=1", extra).issues).toEqual([]);
    expect(check("Condition?asserted-date:missing=true", extra).issues).toEqual([]);
    expect(check("?_getpages=a-b", extra).issues).toEqual([]);
    expect(check("Patient?_query=mine", extra).issues).toEqual([]);
  });

  it("are judged for what can be known of them", () => {
    expect(only("Condition?asserted-date=a%0Ab", extra)?.issue).toBe("value");
    expect(only("Condition?asserteddate=2020", extra)?.issue).toBe("not-supported");
  });
});

describe("lenient handling", () => {
  it("names what is left out, and nothing else", () => {
    expect(check("Patient?surname=a&name=b&gender=", {}, true)).toEqual({ issues: [], ignored: ["surname", "gender"] });
  });

  it.each([
    "name:fuzzy=a",
    "_has:Nobody:patient:code=1",
    "_include=x",
    "_type=Nobody",
    "_filter=x",
    "_query=x",
    "birthdate=x",
    "_count=x",
    "_sort=x",
  ])("still refuses %s", (query) => expect(check(`Patient?${query}`, {}, true).issues).not.toEqual([]));
});

it("S15: a name nobody knows is not told back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (name) => {
      const { issues } = check(`Patient?${renderQuery([[`Zq7${name}`, "1"]])}`);
      expect(issues.length).toBeGreaterThan(0);
      expect(JSON.stringify(issues)).not.toContain("Zq7");
    }),
    { numRuns: 300 },
  );
});
