import { describe, expect, it } from "vitest";
import { compiled, type Element, errorsOf, type } from "./support/profile.ts";

type Row = readonly [what: string, elements: readonly Element[], fields: object, expected: readonly string[]];

const STATUS: Element = { id: "Observation.status", min: 1, max: "1" };
const COMPONENT: Element = { id: "Observation.component", min: 1, max: "2", type: [type("BackboneElement")] };
const VALUE: Element = { id: "Observation.value[x]", max: "1", type: [type("Quantity"), type("string")] };
const NOTE: Element = { id: "Observation.note", type: [type("Annotation")] };

const R4 = "http://hl7.org/fhir/StructureDefinition/";
const SUBJECT: Element = {
  id: "Observation.subject",
  type: [{ code: "Reference", targetProfile: [`${R4}Patient`, `${R4}Group`] }],
};

const ROWS: readonly Row[] = [
  ["a reference to a type that is allowed", [SUBJECT], { subject: { reference: "Group/1" } }, []],
  ["a reference to another type", [SUBJECT], { subject: { reference: "Device/1" } }, ["structure Observation.subject"]],
  ["a reference to another server", [SUBJECT], { subject: { reference: "https://example.org/fhir/Device/1" } }, []],
  ["another type by name", [SUBJECT], { subject: { type: "Device" } }, ["structure Observation.subject"]],
  [
    "a reference that names no type",
    [SUBJECT],
    { subject: { reference: "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a" } },
    [],
  ],
  [
    "a target that nobody supplied",
    [{ ...SUBJECT, type: [{ code: "Reference", targetProfile: ["https://example.org/patient"] }] }],
    { subject: { reference: "Device/1" } },
    [],
  ],
  ["a required element", [STATUS], { status: "final" }, []],
  ["a required element that is missing", [STATUS], {}, ["required Observation.status"]],
  [
    "a required element that is inherited by the object",
    [{ ...STATUS, id: "Observation.constructor" }],
    {},
    ["required Observation.constructor"],
  ],
  ["a required primitive with an extension in place of its value", [STATUS], { _status: { extension: [{}] } }, []],
  ["a list within its limits", [COMPONENT], { component: [{}, {}] }, []],
  ["a list that is too short", [COMPONENT], { component: [] }, ["required Observation.component"]],
  ["a list that is too long", [COMPONENT], { component: [{}, {}, {}] }, ["structure Observation.component"]],
  ["an element that is not allowed", [{ ...NOTE, max: "0" }], { note: [{}] }, ["structure Observation.note"]],
  [
    "a part of a list's items",
    [COMPONENT, { id: "Observation.component.code", min: 1, max: "1" }],
    {
      component: [{ code: {} }, {}],
    },
    ["required Observation.component[1].code"],
  ],
  [
    "a part of an absent element",
    [
      { ...COMPONENT, min: 0 },
      { id: "Observation.component.code", min: 1 },
    ],
    {},
    [],
  ],

  [
    "items that have only an extension",
    [{ id: "Observation.x", max: "1" }],
    { x: ["a", null], _x: [null, { extension: [] }] },
    ["structure Observation.x"],
  ],
  ["places that hold nothing", [{ id: "Observation.x", max: "1" }], { x: [null, "a"], _x: [null, null] }, []],
  ["an element whose name begins like a choice", [VALUE, { id: "Observation.valueSet" }], { valueSet: "x" }, []],
  [
    "a fixed list with more items",
    [{ id: "Observation.code", fixedCodeableConcept: { coding: [{ code: "a" }] } }],
    { code: { coding: [{ code: "a" }, { code: "b" }] } },
    ["value Observation.code"],
  ],
  [
    "a pattern that is met by a prototype",
    [{ id: "Observation.code", patternCodeableConcept: JSON.parse('{"__proto__":{}}') as object }],
    { code: {} },
    ["value Observation.code"],
  ],
  ["a choice of an allowed type", [VALUE], { valueQuantity: {} }, []],
  ["a choice of a type that is not allowed", [VALUE], { valueBoolean: true }, ["structure Observation.value"]],
  ["a choice whose type is an extension's", [VALUE], { _valueBoolean: { id: "x" } }, ["structure Observation.value"]],
  ["a choice that is there twice", [VALUE], { valueString: "a", valueQuantity: {} }, ["structure Observation.value"]],
  ["a required choice that is missing", [{ ...VALUE, min: 1 }], {}, ["required Observation.value"]],
  [
    "a part of a choice",
    [VALUE, { id: "Observation.value[x].unit", min: 1 }],
    { valueQuantity: { value: 1 } },
    ["required Observation.value.unit"],
  ],

  ["a fixed value", [{ ...STATUS, fixedCode: "final" }], { status: "final" }, []],
  [
    "another value than the fixed one",
    [{ ...STATUS, fixedCode: "final" }],
    { status: "amended" },
    ["value Observation.status"],
  ],
  [
    "a fixed value in other letters",
    [{ ...STATUS, fixedCode: "final" }],
    { status: "Final" },
    ["value Observation.status"],
  ],
  ["a fixed object", [{ id: "Observation.code", fixedCodeableConcept: { text: "a" } }], { code: { text: "a" } }, []],
  [
    "a fixed object with more",
    [{ id: "Observation.code", fixedCodeableConcept: { text: "a" } }],
    {
      code: { text: "a", id: "b" },
    },
    ["value Observation.code"],
  ],
  [
    "a fixed value that has only an extension",
    [{ ...STATUS, fixedCode: "final" }],
    { _status: { extension: [{}] } },
    ["value Observation.status"],
  ],
  [
    "a pattern among more",
    [{ id: "Observation.code", patternCodeableConcept: { coding: [{ code: "a" }] } }],
    {
      code: { text: "t", coding: [{ code: "b" }, { code: "a", system: "s" }] },
    },
    [],
  ],
  [
    "a pattern that is not met",
    [{ id: "Observation.code", patternCodeableConcept: { coding: [{ code: "a", system: "s" }] } }],
    {
      code: { coding: [{ code: "a" }, { system: "s" }] },
    },
    ["value Observation.code"],
  ],
  [
    "a pattern that is met by an inherited name",
    [{ id: "Observation.code", patternCodeableConcept: { constructor: {} } }],
    {
      code: {},
    },
    ["value Observation.code"],
  ],

  ["a text that is short enough", [{ ...STATUS, maxLength: 5 }], { status: "final" }, []],
  ["a text that is too long", [{ ...STATUS, maxLength: 4 }], { status: "final" }, ["value Observation.status"]],
  ["a number within its range", [{ id: "Observation.n", minValueInteger: 1, maxValueInteger: 3 }], { n: 3 }, []],
  ["a number below its range", [{ id: "Observation.n", minValueInteger: 1 }], { n: 0 }, ["value Observation.n"]],
  ["a number above its range", [{ id: "Observation.n", maxValueInteger: 3 }], { n: 4 }, ["value Observation.n"]],

  [
    "an element that repeats another's parts",
    [
      { id: "Observation.referenceRange" },
      { id: "Observation.referenceRange.low", min: 1 },
      COMPONENT,
      { id: "Observation.component.referenceRange", contentReference: "#Observation.referenceRange" },
    ],
    { component: [{ referenceRange: [{ low: {} }, {}] }] },
    ["required Observation.component[0].referenceRange[1].low"],
  ],
  [
    "an extension of a primitive",
    [STATUS, { id: "Observation.status.extension", min: 1 }],
    {
      status: "final",
      _status: { id: "x" },
    },
    ["required Observation.status.extension"],
  ],
];

describe("rules of a profile", () => {
  it.each(ROWS)("%s", (_what, elements, fields, expected) => {
    expect(errorsOf(compiled(elements), { resourceType: "Observation", ...fields })).toEqual(expected);
  });

  it("finds at most as many faults as it was told", () => {
    const validator = compiled([COMPONENT, { id: "Observation.component.code", min: 1 }], {
      options: { maxIssues: 3 },
    });
    const resource = { resourceType: "Observation", component: Array.from({ length: 500 }, () => ({})) };
    expect(errorsOf(validator, resource)).toHaveLength(3);
  });

  it("tells absent must-support elements as information", () => {
    const validator = compiled([{ ...STATUS, min: 0, mustSupport: true }]);
    expect(validator.validate({ resourceType: "Observation" }, validator.urls)).toEqual([
      {
        severity: "information",
        issue: "incomplete",
        detail: "An element that the profile marks as must-support is absent.",
        expression: "Observation.status",
      },
    ]);
    expect(validator.validate({ resourceType: "Observation", status: "x" }, validator.urls)).toEqual([]);
  });

  it("says nothing of a value, whatever it finds (S15)", () => {
    const validator = compiled([
      { ...STATUS, fixedCode: "final", maxLength: 1 },
      VALUE,
      { ...NOTE, max: "0" },
      { id: "Observation.code", patternCodeableConcept: { text: "a" } },
    ]);
    const resource = {
      resourceType: "Observation",
      status: "s3cret",
      valueS3cret: "s3cret",
      note: [{ text: "s3cret" }],
      code: { s3cret: "s3cret" },
    };
    const issues = validator.validate(resource, validator.urls);
    expect(issues.length).toBeGreaterThan(4);
    expect(JSON.stringify(issues).toLowerCase()).not.toContain("s3cret");
  });
});

describe("profiles within profiles", () => {
  const QUANTITY = "https://example.org/StructureDefinition/simple";
  const SIMPLE = {
    resourceType: "StructureDefinition",
    url: QUANTITY,
    version: "2",
    type: "Quantity",
    snapshot: { element: [{ id: "Quantity" }, { id: "Quantity.comparator", max: "0" }] },
  };
  const low = (...profiles: string[]): Element => ({ id: "Observation.low", type: [type("Quantity", ...profiles)] });

  it.each([
    ["conforms", { value: 1 }, []],
    ["does not conform", { comparator: "<" }, ["structure Observation.low.comparator"]],
  ])("a value that %s to the profile of its type", (_what, value, expected) => {
    const validator = compiled([low(`${QUANTITY}|2`)], { others: [SIMPLE] });
    expect(errorsOf(validator, { resourceType: "Observation", low: value })).toEqual(expected);
    expect(validator.skipped).toEqual([]);
  });

  it.each([
    ["Patient", "Patient", []],
    ["Group", "Patient", ["structure Observation.contained[0]"]],
    ["Group", "Resource", []],
  ])("a %s where a %s is expected", (resourceType, code, expected) => {
    const validator = compiled([{ id: "Observation.contained", type: [type(code)] }]);
    expect(errorsOf(validator, { resourceType: "Observation", contained: [{ resourceType }] })).toEqual(expected);
  });

  it("one of several profiles is enough, and none is too few", () => {
    const other = {
      ...SIMPLE,
      url: `${QUANTITY}-2`,
      snapshot: { element: [{ id: "Quantity" }, { id: "Quantity.unit", min: 1 }] },
    };
    const validator = compiled([low(QUANTITY, `${QUANTITY}-2`)], { others: [SIMPLE, other] });
    expect(errorsOf(validator, { resourceType: "Observation", low: { comparator: "<", unit: "g" } })).toEqual([]);
    expect(errorsOf(validator, { resourceType: "Observation", low: { comparator: "<" } })).toEqual([
      "structure Observation.low",
    ]);
  });

  it.each([QUANTITY.replace("simple", "other"), `${QUANTITY}|3`])(
    "a profile that was not supplied is told to the operator: %s",
    (url) => {
      const validator = compiled([low(url)], { others: [SIMPLE] });
      expect(validator.skipped).toEqual([
        { profile: validator.urls[0], element: "Observation.low", rule: url, reason: "profile-not-supplied" },
      ]);
    },
  );
});
