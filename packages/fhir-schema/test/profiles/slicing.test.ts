import { describe, expect, it } from "vitest";
import { compiled, type Element, errorsOf, profile, type } from "./support/profile.ts";

const by = (kind: string, path: string, more: object = {}): { slicing: object } => ({
  slicing: { discriminator: [{ type: kind, path }], rules: "open", ...more },
});
const component = (slicing: object): Element => ({ id: "Observation.component", ...slicing });
const slice = (name: string, more: object = {}): Element => ({
  id: `Observation.component:${name}`,
  sliceName: name,
  ...more,
});
const part = (name: string, path: string, more: object): Element => ({
  id: `Observation.component:${name}.${path}`,
  ...more,
});
const observation = (...list: object[]): object => ({ resourceType: "Observation", component: list });

type Row = readonly [what: string, elements: readonly Element[], resource: object, expected: readonly string[]];

/** Two kinds of components, told apart by a code; at most one of each, the first required. */
const two = (more: object = {}): readonly Element[] => [
  component(by("value", "code", more)),
  slice("a", { min: 1, max: "1" }),
  part("a", "code", { min: 1, fixedCode: "a" }),
  part("a", "valueString", { max: "0" }),
  slice("b", { max: "1" }),
  part("b", "code", { min: 1, fixedCode: "b" }),
];

/** Of the components with a value, those with a code `a`, of which at most one is allowed, and the rest. */
const nested: readonly Element[] = [
  component(by("exists", "valueString")),
  slice("valued", { max: "3", ...by("value", "code", { rules: "closed" }) }),
  part("valued", "valueString", { min: 1, max: "1" }),
  slice("valued/a", { min: 1, max: "1" }),
  part("valued/a", "code", { min: 1, fixedCode: "a" }),
  part("valued/a", "valueInteger", { max: "0" }),
  slice("valued/b"),
  part("valued/b", "code", { min: 1, fixedCode: "b" }),
];
const valued = (code: string): object => ({ code, valueString: "x" });

const ROWS: readonly Row[] = [
  ["slices of a slice", nested, observation(valued("a"), valued("b"), { code: "c" }), []],
  ["a slice of a slice is missing", nested, observation(valued("b")), ["required Observation.component"]],
  ["too many of it", nested, observation(valued("a"), valued("a")), ["structure Observation.component"]],
  [
    "none of the slices of a closed slice",
    nested,
    observation(valued("a"), valued("c")),
    ["structure Observation.component[1]"],
  ],
  [
    "against the rules of a slice of a slice",
    nested,
    observation({ ...valued("a"), valueInteger: 1 }),
    ["structure Observation.component[0].valueInteger"],
  ],
  [
    "too many of the slice around",
    nested,
    observation(...["a", "b", "b", "b"].map(valued)),
    ["structure Observation.component"],
  ],
  ["each slice once", two(), observation({ code: "a" }, { code: "b" }), []],
  ["an item of no slice, in an open list", two(), observation({ code: "a" }, { code: "c" }), []],
  ["a required slice that is missing", two(), observation({ code: "b" }), ["required Observation.component"]],
  [
    "a slice with too many items",
    two(),
    observation({ code: "a" }, { code: "b" }, { code: "b" }),
    ["structure Observation.component"],
  ],
  [
    "an item against the rules of its slice",
    two(),
    observation({ code: "b", valueString: "x" }, { code: "a", valueString: "x" }),
    ["structure Observation.component[1].valueString"],
  ],
  [
    "an item of no slice, in a closed list",
    two({ rules: "closed" }),
    observation({ code: "a" }, { code: "c" }),
    ["structure Observation.component[1]"],
  ],
  ["an item of no slice at the open end", two({ rules: "openAtEnd" }), observation({ code: "a" }, { code: "c" }), []],
  [
    "an item of no slice before the open end",
    two({ rules: "openAtEnd" }),
    observation({ code: "c" }, { code: "a" }),
    ["structure Observation.component[1]"],
  ],
  ["slices in order", two({ ordered: true }), observation({ code: "a" }, { code: "b" }), []],
  [
    "slices out of order",
    two({ ordered: true }),
    observation({ code: "b" }, { code: "a" }),
    ["structure Observation.component[1]"],
  ],

  [
    "a pattern",
    [
      component(by("pattern", "code")),
      slice("a", { min: 1 }),
      part("a", "code", { patternCodeableConcept: { coding: [{ code: "x" }] } }),
    ],
    observation({ code: { coding: [{ code: "y" }, { code: "x" }] } }),
    [],
  ],
  [
    "a pattern not met",
    [
      component(by("pattern", "code")),
      slice("a", { min: 1 }),
      part("a", "code", { patternCodeableConcept: { coding: [{ code: "x" }] } }),
    ],
    observation({ code: { coding: [{ code: "y" }] } }),
    ["required Observation.component"],
  ],
  [
    "a pattern above the discriminator's path",
    [
      component(by("value", "code.coding.code")),
      slice("a", { min: 1 }),
      part("a", "code", { patternCodeableConcept: { coding: [{ code: "x" }] } }),
    ],
    observation({ code: { coding: [{ code: "x" }] } }),
    [],
  ],
  [
    "a pattern of the item itself",
    [component(by("value", "$this")), slice("a", { min: 1, patternCodeableConcept: { text: "t" } })],
    observation({ text: "t", id: "1" }),
    [],
  ],
  [
    "fixed parts below the discriminator's path",
    [
      component(by("value", "code")),
      slice("a", { min: 1 }),
      part("a", "code", {}),
      part("a", "code.system", { min: 1, fixedUri: "s" }),
    ],
    observation({ code: { system: "s" } }),
    [],
  ],
  [
    "fixed parts below, another value",
    [
      component(by("value", "code")),
      slice("a", { min: 1 }),
      part("a", "code", {}),
      part("a", "code.system", { min: 1, fixedUri: "s" }),
    ],
    observation({ code: { system: "t" } }),
    ["required Observation.component"],
  ],

  [
    "a type",
    [
      {
        id: "Observation.value[x]",
        type: [type("Quantity"), type("string")],
        ...by("type", "$this", { rules: "closed" }),
      },
      { id: "Observation.value[x]:valueQuantity", sliceName: "valueQuantity", type: [type("Quantity")] },
    ],
    { resourceType: "Observation", valueQuantity: {} },
    [],
  ],
  [
    "a type of no slice",
    [
      {
        id: "Observation.value[x]",
        type: [type("Quantity"), type("string")],
        ...by("type", "$this", { rules: "closed" }),
      },
      { id: "Observation.value[x]:valueQuantity", sliceName: "valueQuantity", type: [type("Quantity")] },
    ],
    { resourceType: "Observation", valueString: "x" },
    ["structure Observation.value"],
  ],
  [
    "a type whose slicing is left unsaid",
    [
      { id: "Observation.value[x]", type: [type("Quantity"), type("string")] },
      { id: "Observation.value[x]:valueQuantity", max: "0", sliceName: "valueQuantity", type: [type("Quantity")] },
    ],
    { resourceType: "Observation", valueQuantity: {} },
    ["structure Observation.value"],
  ],
  [
    "a resource's type",
    [component(by("type", "resource")), slice("a", { min: 1 }), part("a", "resource", { type: [type("Patient")] })],
    observation({ resource: { resourceType: "Patient" } }),
    [],
  ],
  [
    "another resource's type",
    [component(by("type", "resource")), slice("a", { min: 1 }), part("a", "resource", { type: [type("Patient")] })],
    observation({ resource: { resourceType: "Group" } }),
    ["required Observation.component"],
  ],

  [
    "presence",
    [
      component(by("exists", "value")),
      slice("with", { max: "1" }),
      part("with", "value[x]", { min: 1, type: [type("string")] }),
      slice("without", { max: "0" }),
      part("without", "value[x]", { max: "0" }),
    ],
    observation({ valueString: "x" }),
    [],
  ],
  [
    "absence",
    [
      component(by("exists", "value")),
      slice("with", { max: "1" }),
      part("with", "value[x]", { min: 1, type: [type("string")] }),
      slice("without", { max: "0" }),
      part("without", "value[x]", { max: "0" }),
    ],
    observation({}),
    ["structure Observation.component"],
  ],

  [
    "an extension",
    [
      component(by("value", "extension('https://e.org/x').value")),
      slice("a", { min: 1 }),
      part("a", "extension", by("value", "url")),
      part("a", "extension:x", { min: 1, type: [type("Extension", "https://e.org/x")] }),
      part("a", "extension:x.value[x]", { fixedCode: "v", type: [type("code")] }),
    ],
    observation({ extension: [{ url: "https://e.org/x", valueCode: "v" }] }),
    [],
  ],
  [
    "another extension",
    [
      component(by("value", "extension('https://e.org/x').value")),
      slice("a", { min: 1 }),
      part("a", "extension", by("value", "url")),
      part("a", "extension:x", { min: 1, type: [type("Extension", "https://e.org/x")] }),
      part("a", "extension:x.value[x]", { fixedCode: "v", type: [type("code")] }),
    ],
    observation({ extension: [{ url: "https://e.org/y", valueCode: "v" }] }),
    ["required Observation.component"],
  ],
  ["items without anything to tell them by", two(), observation({}, { code: "a" }, { code: { constructor: "a" } }), []],
];

describe("slicing, told apart by", () => {
  it.each(ROWS)("%s", (_what, elements, resource, expected) => {
    expect(errorsOf(compiled(elements), resource)).toEqual(expected);
  });

  it("a profile", () => {
    const url = "https://example.org/StructureDefinition/code-a";
    const other = profile("BackboneElement", [{ id: "BackboneElement.code", min: 1, fixedCode: "a" }], { url });
    const validator = compiled(
      [component(by("profile", "$this", { rules: "closed" })), slice("a", { type: [type("BackboneElement", url)] })],
      { others: [other] },
    );
    expect(errorsOf(validator, observation({ code: "a" }))).toEqual([]);
    expect(errorsOf(validator, observation({ code: "b" }))).toEqual(["structure Observation.component[0]"]);
  });

  it("a profile of another resource type", () => {
    const url = "https://example.org/StructureDefinition/any-patient";
    const validator = compiled(
      [
        component(by("profile", "resource", { rules: "closed" })),
        slice("a"),
        part("a", "resource", { type: [type("Resource", url)] }),
      ],
      { others: [profile("Patient", [], { url })] },
    );
    expect(errorsOf(validator, observation({ resource: { resourceType: "Patient" } }))).toEqual([]);
    expect(errorsOf(validator, observation({ resource: { resourceType: "Group" } }))).toEqual([
      "structure Observation.component[0]",
    ]);
  });

  it("an extension's URL, which is its profile's", () => {
    const url = "https://example.org/StructureDefinition/race";
    const elements: readonly Element[] = [
      { id: "Observation.extension", ...by("value", "url") },
      { id: "Observation.extension:race", sliceName: "race", min: 1, type: [type("Extension", url)] },
    ];
    expect(errorsOf(compiled(elements), { resourceType: "Observation", extension: [{ url }] })).toEqual([]);
    expect(errorsOf(compiled(elements), { resourceType: "Observation", extension: [{ url: `${url}s` }] })).toEqual([
      "required Observation.extension",
    ]);
  });

  it.each([
    ["a position", by("position", "$this"), {}],
    ["an expression", by("value", "code.where(true)"), {}],
    ["nothing", by("value", "code"), {}],
    ["no discriminator", { slicing: { rules: "open" } }, {}],
    [
      "a profile that was not supplied",
      by("profile", "$this"),
      { type: [type("BackboneElement", "https://e.org/none")] },
    ],
  ])("refuses %s, when the profile is compiled", (_what, slicing, more) => {
    expect(() => compiled([component(slicing), slice("a", more)])).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ code: "slice-not-told-apart" })] }),
    );
  });

  it("skips slices told apart by what a reference points to, and tells the operator", () => {
    const validator = compiled([
      component(by("type", "subject.resolve()", { rules: "closed" })),
      slice("a", { min: 1 }),
    ]);
    expect(validator.skipped).toEqual([
      {
        profile: validator.urls[0],
        element: "Observation.component:a",
        rule: "subject.resolve()",
        reason: "reference-not-resolved",
      },
    ]);
    expect(errorsOf(validator, observation({}))).toEqual([]);
  });

  it("takes a slice of nothing for the element itself, as official profiles mean it", () => {
    const validator = compiled([{ id: "Observation.status:Status", sliceName: "Status", min: 1 }]);
    expect(errorsOf(validator, { resourceType: "Observation" })).toEqual(["required Observation.status"]);
  });
});
