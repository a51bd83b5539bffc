import { describe, expect, it } from "vitest";
import { compiled, type Element, errorsOf, type } from "./support/profile.ts";

const URL = "https://example.org/ValueSet/units";
const S = "https://example.org/system";
const bound = (code: string, more: object = {}): Element => ({
  id: "Observation.value[x]",
  type: [type(code)],
  binding: { strength: "required", valueSet: URL },
  ...more,
});
const valueSet = (content: object, more: object = {}): object => ({
  resourceType: "ValueSet",
  url: URL,
  ...content,
  ...more,
});
const include = (...parts: object[]): object => valueSet({ compose: { include: parts } });
const listed = include({ system: S, concept: [{ code: "a" }, { code: "b" }] });
const issue = ["code-invalid Observation.value"];

type Row = readonly [what: string, sets: readonly object[], code: string, value: object, expected: readonly string[]];
const coding = (code: string, system: string = S): object => ({ system, code });
const OTHER = "https://example.org/ValueSet/other";

const ROWS: readonly Row[] = [
  ["a listed code", [listed], "Coding", { valueCoding: coding("a") }, []],
  ["a code that is not listed", [listed], "Coding", { valueCoding: coding("c") }, issue],
  ["a listed code of another system", [listed], "Coding", { valueCoding: coding("a", "urn:x") }, issue],
  ["a listed code without its system", [listed], "Coding", { valueCoding: { code: "a" } }, issue],
  ["a coding without a code", [listed], "Coding", { valueCoding: { system: S } }, issue],
  ["a plain code", [listed], "code", { valueCode: "b" }, []],
  ["a plain code that is not listed", [listed], "code", { valueCode: "B" }, issue],
  [
    "a concept with one such coding",
    [listed],
    "CodeableConcept",
    { valueCodeableConcept: { coding: [coding("c"), coding("a")] } },
    [],
  ],
  ["a concept without one", [listed], "CodeableConcept", { valueCodeableConcept: { coding: [coding("c")] } }, issue],
  ["a concept of text alone", [listed], "CodeableConcept", { valueCodeableConcept: { text: "a" } }, issue],
  ["a quantity's unit", [listed], "Quantity", { valueQuantity: { value: 1, ...coding("a") } }, []],
  ["a quantity's unit outside", [listed], "Quantity", { valueQuantity: { value: 1, unit: "a" } }, issue],
  ["a whole system", [include({ system: S })], "Coding", { valueCoding: coding("any") }, []],
  ["outside a whole system", [include({ system: S })], "Coding", { valueCoding: coding("any", "urn:x") }, issue],
  [
    "a whole system with its code system",
    [
      include({ system: S }),
      { resourceType: "CodeSystem", url: S, content: "complete", concept: [{ code: "a", concept: [{ code: "b" }] }] },
    ],
    "code",
    { valueCode: "b" },
    [],
  ],
  [
    "outside a whole system with its code system",
    [include({ system: S }), { resourceType: "CodeSystem", url: S, content: "complete", concept: [{ code: "a" }] }],
    "code",
    { valueCode: "c" },
    issue,
  ],
  [
    "an excluded code",
    [valueSet({ compose: { include: [{ system: S }], exclude: [{ system: S, concept: [{ code: "a" }] }] } })],
    "Coding",
    { valueCoding: coding("a") },
    issue,
  ],
  [
    "an excluded code without its system",
    [
      valueSet({
        compose: {
          include: [{ system: S, concept: [{ code: "a" }] }],
          exclude: [{ system: S, concept: [{ code: "a" }] }],
        },
      }),
    ],
    "code",
    { valueCode: "a" },
    issue,
  ],
  [
    "beside an excluded code",
    [valueSet({ compose: { include: [{ system: S }], exclude: [{ system: S, concept: [{ code: "a" }] }] } })],
    "Coding",
    { valueCoding: coding("b") },
    [],
  ],
  [
    "another value set",
    [include({ valueSet: [OTHER] }), { ...listed, url: OTHER }],
    "Coding",
    { valueCoding: coding("a") },
    [],
  ],
  [
    "both a system's list and another value set",
    [include({ valueSet: [OTHER], system: S, concept: [{ code: "c" }, { code: "a" }] }), { ...listed, url: OTHER }],
    "Coding",
    { valueCoding: coding("c") },
    issue,
  ],
  [
    "one of several parts",
    [include({ system: S, concept: [{ code: "a" }] }, { system: "urn:x" })],
    "Coding",
    { valueCoding: coding("q", "urn:x") },
    [],
  ],
  [
    "an expansion",
    [
      valueSet({
        compose: { include: [{ filter: [{}] }] },
        expansion: { contains: [{ system: S, code: "x", abstract: true, contains: [{ system: S, code: "a" }] }] },
      }),
    ],
    "Coding",
    { valueCoding: coding("a") },
    [],
  ],
  [
    "an abstract code of an expansion",
    [valueSet({ expansion: { contains: [{ system: S, code: "x", abstract: true }] } })],
    "Coding",
    { valueCoding: coding("x") },
    issue,
  ],
  [
    "value sets that include each other",
    [include({ valueSet: [OTHER] }), { ...include({ valueSet: [URL] }), url: OTHER }],
    "Coding",
    { valueCoding: coding("a") },
    issue,
  ],
];

describe("required bindings", () => {
  it.each(ROWS)("%s", (_what, valueSets, code, fields, expected) => {
    const validator = compiled([bound(code)], { valueSets });
    expect(errorsOf(validator, { resourceType: "Observation", ...fields })).toEqual(expected);
    expect(validator.skipped).toEqual([]);
  });

  it("tells the operator of value sets that were not supplied, and of systems nobody listed", () => {
    const skipped = (elements: readonly Element[], valueSets: readonly object[]): unknown =>
      compiled(elements, { valueSets }).skipped.map(({ rule, reason }) => [rule, reason]);
    expect(skipped([bound("code")], [])).toEqual([[URL, "value-set-not-supplied"]]);
    const later = { binding: { strength: "required", valueSet: `${URL}|2` } };
    expect(skipped([bound("Coding", later)], [{ ...listed, version: "1" }])).toEqual([
      [`${URL}|2`, "value-set-not-supplied"],
    ]);
    expect(skipped([bound("code")], [include({ system: S })])).toEqual([[URL, "code-system-not-supplied"]]);
    expect(skipped([bound("code", { binding: { strength: "extensible", valueSet: URL } })], [])).toEqual([]);
  });

  it.each([
    ["a filter without an expansion", include({ system: S, filter: [{}] }), "value-set-not-evaluable"],
    ["an unknown value set", include({ valueSet: [OTHER] }), "value-set-not-evaluable"],
    [
      "a page of an expansion",
      valueSet({ expansion: { total: 2, contains: [{ system: S, code: "a" }] } }),
      "value-set-not-evaluable",
    ],
    ["nothing", valueSet({}), "value-set-not-evaluable"],
    ["another resource", { resourceType: "Patient" }, "not-a-value-set"],
  ])("refuses %s, when the profile is compiled", (_what, set, code) => {
    expect(() => compiled([bound("Coding")], { valueSets: [set] })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ code, path: "valueSets[0]" })] }),
    );
  });
});
