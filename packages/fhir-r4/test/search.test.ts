import { parseInteraction, parseSearch, renderQuery, touchesOf } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

const search = (types: string, query: string) =>
  parseSearch(
    types.split(","),
    [...new URLSearchParams(query)].map(([name, value]) => [name, value] as const),
  );
const criterion = (types: string, query: string) => search(types, query).criteria[0];
const reached = (types: string, query: string) =>
  touchesOf(search(types, query)).map(({ type, via }) => `${via} ${type}`);

describe("S9: how much is read", () => {
  it("a search of a thousand pairs is read, and its criteria stand", () => {
    const asked = parseInteraction({ method: "GET", path: "/Patient", query: "name=x&".repeat(1000) });
    expect(asked.search?.criteria).toHaveLength(1000);
  });

  it("behind a hundred rules to sort by stands one that is not known, however many follow", () => {
    const by = (rules: number) => search("Observation", `_sort=${"-date,".repeat(rules - 1)}date&code=x`);
    expect(by(100).sort.every(({ known }) => known)).toBe(true);
    for (const many of [by(101), by(200_000), search("Observation", "_sort=date&".repeat(300))]) {
      expect(many.sort).toHaveLength(101);
      expect(many.sort.at(-1)).toEqual({ parameter: "_sort", descending: false, known: false });
    }
    expect(by(200_000).criteria).toHaveLength(1);
  });
});

describe("search criteria", () => {
  it.each([
    ["Patient", "name:exact=Ann", { parameter: "name", modifier: "exact", parameterType: "string", values: ["Ann"] }],
    ["Patient", "name=a,b\\,c", { values: ["a", "b\\,c"] }],
    ["Patient", "name=a\\\\,b", { values: ["a\\\\", "b"] }],
    ["Observation", "subject:Patient=1", { parameter: "subject", modifier: "Patient", parameterType: "reference" }],
    ["Observation", "code:in=http://x", { modifier: "in" }],
    ["Observation", "date=ge2020", { parameterType: "date" }],
    ["*", "_lastUpdated=gt2020", { parameter: "_lastUpdated", parameterType: "date", on: ["*"] }],
    ["Patient,Observation", "identifier=1", { on: ["Patient", "Observation"] }],
    [
      "Observation",
      "subject:Patient.name:exact=x",
      { modifier: "exact", on: ["Patient"], steps: [{ kind: "chain", parameter: "subject", types: ["Patient"] }] },
    ],
    [
      "Observation",
      "subject.name=x",
      { on: ["Location", "Patient"], steps: [{ types: ["Device", "Group", "Location", "Patient"] }] },
    ],
    [
      "Patient",
      "_has:Observation:patient:code=x",
      { on: ["Observation"], steps: [{ kind: "has", parameter: "patient", types: ["Observation"] }] },
    ],
    [
      "Patient",
      "_has:Observation:patient:_has:AuditEvent:entity:agent=x",
      { on: ["AuditEvent"], steps: [{ kind: "has" }, { kind: "has", parameter: "entity" }] },
    ],
    ["Encounter", "patient._has:Group:member:_id=1", { on: ["Group"], steps: [{ kind: "chain" }, { kind: "has" }] }],
    ["Provenance", "target._id=1", { parameter: "_id", steps: [{ types: ["*"] }] }],
    ["Patient", "_list=42", { parameterType: "special" }],
    ["*", "_type=Patient", { parameter: "_type", values: ["Patient"] }],
  ])("%s?%s is known", (types, query, expected) => {
    expect(criterion(types, query)).toMatchObject({ known: true, ...expected });
  });

  it.each([
    ["Patient", "code=1"],
    ["Patient", "Name=1"],
    ["Patient", "__proto__=1"],
    ["Patient", "=1"],
    ["Patient", ":exact=1"],
    ["*", "name=1"],
    ["Patient,Observation", "code=1"],
    ["Patient", "birthdate:exact=2000"],
    ["Patient", "name:below=x"],
    ["Patient", "name:=x"],
    ["Patient", "name:exact:exact=x"],
    ["Patient", "name:constructor=x"],
    ["Observation", "subject:Practitioner=1"],
    ["Observation", "code-value-quantity:missing=true"],
    ["Patient", "_since=1"],
    ["Patient", "_sort:desc=name"],
  ])("%s?%s is not known, and reaches nothing else", (types, query) => {
    expect(criterion(types, query)).toMatchObject({ known: false, steps: [] });
    expect(reached(types, query)).toEqual([]);
  });

  it.each([
    ["Observation", "code.name=1", "chain *"],
    ["Observation", "subject.=1", "chain *"],
    ["Observation", ".name=1", "chain *"],
    ["Observation", "subject:Practitioner.name=1", "chain *"],
    ["Observation", "subject:Patient:Patient.name=1", "chain *"],
    ["Observation", "subject:patient.name=1", "chain *"],
    ["Observation", "subject.foo=1", "chain *"],
    ["Observation", "subject:Patient.name:foo=1", "chain *"],
    ["Patient", "_has:Observation:code:code=1", "has *"],
    ["Patient", "_has:Observation:encounter:code=1", "has *"],
    ["Patient", "_has:observation:patient:code=1", "has *"],
    ["Patient", "_has:Observation:patient=1", "has *"],
    ["Patient", "_has:Observation:patient:foo=1", "has *"],
    ["Patient", "_has:=1", "has *"],
    ["Observation", `${"has-member.".repeat(20)}code=1`, "chain *"],
    ["Patient", "_has=1", "has *"],
    ["Observation", "_type:not=Patient", "type-filter *"],
    ["Patient", "_filter=name eq x", "chain *"],
    ["Patient", "_query=mine", "chain *"],
    ["Patient", "_list=1", "chain List"],
    ["*", "_type=Foo", "type-filter *"],
    ["Patient", "_sort=organization.name", "sort *"],
    ["Patient", "_sort=organization:Organization.name", "sort *"],
  ])("A1: %s?%s reaches %s", (types, query, touch) => {
    expect(reached(types, query)).toContain(touch);
  });

  it("a very long chain neither overflows nor slips through", () => {
    const name = `${"has-member.".repeat(100_000)}code`;
    expect(parseSearch(["Observation"], [[name, "x"]]).criteria[0]?.known).toBe(false);
  });
});

describe("includes (A2)", () => {
  it.each([
    [
      "Observation",
      "_include=Observation:subject",
      ["include Device", "include Group", "include Location", "include Patient"],
    ],
    ["Observation", "_include=Observation:subject:Patient", ["include Patient"]],
    ["Observation", "_include:iterate=Patient:general-practitioner:Practitioner", ["include Practitioner"]],
    ["Observation", "_include:recurse=Observation:has-member:Observation", ["include Observation"]],
    ["Observation", "_include=*", ["include *"]],
    ["Observation", "_include=Observation:*", ["include *"]],
    [
      "Patient",
      "_include=Patient:*",
      [
        "include Organization",
        "include Patient",
        "include Practitioner",
        "include PractitionerRole",
        "include RelatedPerson",
      ],
    ],
    ["Provenance", "_include=Provenance:target", ["include *"]],
    ["Patient", "_revinclude=Provenance:target", ["revinclude Provenance"]],
    ["Patient", "_revinclude:iterate=Observation:*", ["revinclude Observation"]],
    ["Patient", "_revinclude=*", ["revinclude *"]],
  ])("%s?%s", (types, query, expected) => {
    expect(search(types, query).includes).toHaveLength(1);
    expect(reached(types, query)).toEqual(expected);
  });

  it.each([
    "_include=Observation",
    "_include=Observation:",
    "_include=Observation:code",
    "_include=Observation:subject:Practitioner",
    "_include=Observation:subject:Patient:x",
    "_include=Observation:subject,Observation:encounter",
    "_include=observation:subject",
    "_include=",
    "_include:foo=Observation:subject",
    "_include:iterate:iterate=Observation:subject",
    "_revinclude=Provenance:agent-role",
    "_revinclude=__proto__:x",
  ])("%s is malformed: it may bring in anything", (query) => {
    const [name = ""] = query.split(/[=:]/);
    const kind = name.slice(1);
    expect(search("Observation", query)).toMatchObject({ includes: [], criteria: [{ parameter: name, known: false }] });
    expect(reached("Observation", query)).toEqual([`${kind} *`]);
  });
});

describe("the rest of a search", () => {
  it("takes sort rules apart", () => {
    expect(search("Patient", "_sort=-birthdate,name,_lastUpdated,foo,organization.name").sort).toEqual([
      { parameter: "birthdate", descending: true, known: true },
      { parameter: "name", descending: false, known: true },
      { parameter: "_lastUpdated", descending: false, known: true },
      { parameter: "foo", descending: false, known: false },
      { parameter: "organization.name", descending: false, known: false },
    ]);
  });

  it("keeps what shapes the answer apart from what selects", () => {
    const { control, criteria } = search(
      "Patient",
      "_count=5&_summary=count&_elements:x=a&_total=accurate&_contained=both",
    );
    expect(criteria).toEqual([]);
    expect(control).toEqual([
      { name: "_count", value: "5" },
      { name: "_summary", value: "count" },
      { name: "_elements", modifier: "x", value: "a" },
      { name: "_total", value: "accurate" },
      { name: "_contained", value: "both" },
    ]);
  });
});

describe("renderQuery", () => {
  it("escapes everything that could be taken apart differently", () => {
    expect(
      renderQuery([
        ["name:exact", "a b&c=d+e/é'()*!"],
        ["x", "http://s|c,d"],
        ["lone", "\ud800"],
      ]),
    ).toBe("name%3Aexact=a%20b%26c%3Dd%2Be%2F%C3%A9%27%28%29%2A%21&x=http%3A%2F%2Fs%7Cc%2Cd&lone=%EF%BF%BD");
    expect(renderQuery([])).toBe("");
  });
});
