import { describe, expect, it } from "vitest";
import { compileProfiles } from "../../src/profiles/compile.ts";
import { type Element, profile, type } from "./support/profile.ts";

const PATIENT = "https://example.org/StructureDefinition/patient";
const RACE = "https://example.org/StructureDefinition/race";
const CATEGORIES = "https://example.org/ValueSet/categories";
const IDENTIFIER = "https://example.org/identifiers/member";

const byUrl = { slicing: { discriminator: [{ type: "value", path: "url" }], rules: "open" } };

/** The shape of national profiles: an extension of its own parts, an identifier of a known system, a name or a reason. */
const PATIENT_ELEMENTS: readonly Element[] = [
  {
    id: "Patient",
    constraint: [{ key: "pat-1", severity: "error", expression: "name.exists() or identifier.exists()" }],
  },
  { id: "Patient.extension", ...byUrl, type: [type("Extension")] },
  { id: "Patient.extension:race", sliceName: "race", max: "1", mustSupport: true, type: [type("Extension", RACE)] },
  {
    id: "Patient.identifier",
    min: 1,
    type: [type("Identifier")],
    slicing: { discriminator: [{ type: "pattern", path: "$this" }], rules: "open" },
  },
  {
    id: "Patient.identifier:member",
    sliceName: "member",
    min: 1,
    max: "1",
    type: [type("Identifier")],
    patternIdentifier: { system: IDENTIFIER },
  },
  { id: "Patient.identifier:member.value", min: 1, max: "1", type: [type("string")] },
  {
    id: "Patient.name",
    type: [type("HumanName")],
    constraint: [
      { key: "name-1", severity: "error", expression: "family.exists() or given.exists() or extension.exists()" },
    ],
  },
  { id: "Patient.birthDate", max: "1", mustSupport: true, type: [type("date")] },
];
const RACE_ELEMENTS: readonly Element[] = [
  { id: "Extension.extension", ...byUrl, min: 1, type: [type("Extension")] },
  { id: "Extension.extension:omb", sliceName: "omb", max: "1", type: [type("Extension")] },
  { id: "Extension.extension:omb.url", min: 1, max: "1", type: [type("uri")], fixedUri: "ombCategory" },
  {
    id: "Extension.extension:omb.value[x]",
    min: 1,
    max: "1",
    type: [type("Coding")],
    binding: { strength: "required", valueSet: CATEGORIES },
  },
  { id: "Extension.extension:text", sliceName: "text", min: 1, max: "1", type: [type("Extension")] },
  { id: "Extension.extension:text.url", min: 1, max: "1", type: [type("uri")], fixedUri: "text" },
  { id: "Extension.extension:text.value[x]", min: 1, max: "1", type: [type("string")] },
  { id: "Extension.url", min: 1, max: "1", type: [type("uri")], fixedUri: RACE },
  { id: "Extension.value[x]", max: "0" },
];

const definition = (of: string, url: string, [first, ...rest]: readonly Element[]): object =>
  first?.id === of
    ? profile(of, [], { url, snapshot: { element: [first, ...rest] } })
    : profile(of, [...(first === undefined ? [] : [first]), ...rest], { url });

const validator = compileProfiles({
  structureDefinitions: [
    definition("Patient", PATIENT, PATIENT_ELEMENTS),
    definition("Extension", RACE, RACE_ELEMENTS),
  ],
  valueSets: [
    {
      resourceType: "ValueSet",
      url: CATEGORIES,
      compose: { include: [{ system: "urn:categories", concept: [{ code: "a" }, { code: "b" }] }] },
    },
  ],
});

interface Mutable {
  extension: { url: string; extension: Record<string, unknown>[] }[];
  identifier: Record<string, unknown>[];
  name: Record<string, unknown>[];
  birthDate?: string;
}

const good = (): Mutable & { resourceType: string } => ({
  resourceType: "Patient",
  extension: [
    {
      url: RACE,
      extension: [
        { url: "ombCategory", valueCoding: { system: "urn:categories", code: "a" } },
        { url: "text", valueString: "A" },
      ],
    },
  ],
  identifier: [{ system: IDENTIFIER, value: "1" }, { system: "urn:other" }],
  name: [{ family: "Doe" }],
  birthDate: "1970-01-01",
});

describe("a profile of the shape of national ones", () => {
  it("is judged in full", () => {
    expect(validator.skipped).toEqual([]);
  });

  it.each<readonly [what: string, change: (copy: Mutable) => unknown, expected: readonly string[]]>([
    ["nothing changed", () => undefined, []],
    ["another extension besides", (copy) => copy.extension.push({ url: "urn:x", extension: [] }), []],
    [
      "the extension twice",
      (copy) => copy.extension.push(good().extension[0] as never),
      ["structure Patient.extension"],
    ],
    [
      "the extension without its text",
      (copy) => copy.extension[0]?.extension.pop(),
      ["required Patient.extension[0].extension"],
    ],
    [
      "the extension with another category",
      (copy) =>
        Object.assign(copy.extension[0]?.extension[0] ?? {}, { valueCoding: { system: "urn:categories", code: "z" } }),
      ["code-invalid Patient.extension[0].extension[0].value"],
    ],
    [
      "the extension's part with another type",
      (copy) => Object.assign(copy.extension[0]?.extension[1] ?? {}, { valueBoolean: true }),
      ["structure Patient.extension[0].extension[1].value", "structure Patient.extension[0].extension[1].value"],
    ],
    [
      "the extension with a value",
      (copy) => Object.assign(copy.extension[0] ?? {}, { valueString: "x" }),
      ["structure Patient.extension[0].value", "structure Patient.extension[0].value"],
    ],
    [
      "no identifier",
      (copy) => copy.identifier.splice(0),
      ["required Patient.identifier", "required Patient.identifier"],
    ],
    ["an identifier of other systems alone", (copy) => copy.identifier.shift(), ["required Patient.identifier"]],
    [
      "the identifier without its value",
      (copy) => delete copy.identifier[0]?.["value"],
      ["required Patient.identifier[0].value"],
    ],
    ["a name without any part", (copy) => copy.name.push({ use: "official" }), ["invariant Patient.name[1]"]],
    ["a name by reason", (copy) => copy.name.push({ extension: [{}] }), []],
  ])("%s", (_what, change, expected) => {
    const copy = good();
    change(copy);
    const errors = validator.validate(copy, [PATIENT]).filter(({ severity }) => severity === "error");
    expect(errors.map(({ issue, expression }) => `${issue} ${expression ?? ""}`)).toEqual(expected);
  });

  it("tells absent must-support elements, slices too", () => {
    const { extension: _, birthDate: __, ...rest } = good();
    expect(validator.validate(rest, [PATIENT]).map(({ severity, expression }) => [severity, expression])).toEqual([
      ["information", "Patient.extension"],
      ["information", "Patient.birthDate"],
    ]);
  });
});
