import { ConfigurationError } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileProfiles } from "../../src/profiles/compile.ts";
import { compiled, profile, URL_OF_TEST } from "./support/profile.ts";

const observation = (fields: object = {}): object => ({ resourceType: "Observation", ...fields });
const required = { id: "Observation.status", min: 1, max: "1" };

describe("compileProfiles()", () => {
  it.each<[string, object, string]>([
    [
      "a differential alone",
      { ...profile("Observation", []), snapshot: undefined, differential: { element: [] } },
      "snapshot-missing",
    ],
    ["an empty snapshot", { ...profile("Observation", []), snapshot: { element: [] } }, "snapshot-missing"],
    ["another resource", { resourceType: "Patient" }, "not-a-structure-definition"],
    ["a definition without a url", { ...profile("Observation", []), url: undefined }, "not-a-structure-definition"],
    ["an element without an id", profile("Observation", [{ path: "Observation.status" } as never]), "element-id"],
    ["an element without its parent", profile("Observation", [{ id: "Observation.code.text" }]), "element-id"],
    [
      "a slice without its base",
      profile("Observation", [{ id: "Observation.code:a" }, { id: "Observation.code:b" }]),
      "slice-without-base",
    ],
    [
      "a slice of a slice that is not there",
      profile("Observation", [{ id: "Observation.code" }, { id: "Observation.code:a/b" }]),
      "slice-without-base",
    ],
  ])("refuses %s", (_what, definition, code) => {
    expect(() => compileProfiles({ structureDefinitions: [definition] })).toThrow(ConfigurationError);
    expect(() => compileProfiles({ structureDefinitions: [definition] })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ code })] }),
    );
  });

  it("tells all mistakes at once, and unknown options with the nearest name", () => {
    const definitions = {
      structureDefinitions: [{}, profile("Observation", []), profile("Observation", [])],
      valueSets: [{}],
    };
    const options = { budgetMS: 1, maxIssues: 0 } as object;
    expect(() => compileProfiles(definitions, options)).toThrow(
      expect.objectContaining({
        issues: [
          expect.objectContaining({
            code: "unknown-option",
            message: expect.stringContaining("budgetMs") as string,
          }),
          expect.objectContaining({ path: "maxIssues", code: "out-of-range" }),
          expect.objectContaining({ path: "valueSets[0]", code: "not-a-value-set" }),
          expect.objectContaining({ path: "structureDefinitions[0]", code: "not-a-structure-definition" }),
          expect.objectContaining({ path: "structureDefinitions[2]", code: "profile-repeated" }),
        ],
      }),
    );
  });
});

describe("the profiles a resource is judged by", () => {
  const validator = compiled([required]);
  const errors = (resource: unknown, asked?: readonly string[]): readonly string[] =>
    validator
      .validate(resource, asked)
      .map(({ severity, issue, expression }) => `${severity} ${issue} ${expression ?? ""}`);

  it.each<[string, unknown, readonly string[] | undefined, readonly string[]]>([
    ["none asked for, none claimed", observation(), undefined, []],
    ["asked for", observation(), [URL_OF_TEST], ["error required Observation.status"]],
    ["claimed", observation({ meta: { profile: [URL_OF_TEST] } }), undefined, ["error required Observation.status"]],
    [
      "claimed and asked for, judged once",
      observation({ meta: { profile: [URL_OF_TEST] } }),
      [URL_OF_TEST],
      ["error required Observation.status"],
    ],
    [
      "asked for and unknown",
      observation({ status: "x" }),
      ["https://example.org/none"],
      ["error not-supported Observation"],
    ],
    [
      "asked for by an inherited name",
      observation({ status: "x" }),
      ["constructor"],
      ["error not-supported Observation"],
    ],
    [
      "claimed and unknown",
      observation({ meta: { profile: ["https://example.org/none"] } }),
      [],
      ["information not-supported Observation.meta.profile[0]"],
    ],
    ["asked for of another type", { resourceType: "Patient" }, [URL_OF_TEST], ["error structure Patient"]],
    [
      "claimed in a Bundle",
      { resourceType: "Bundle", entry: [{}, { resource: observation({ meta: { profile: [URL_OF_TEST] } }) }] },
      [],
      ["error required Bundle.entry[1].resource.status"],
    ],
    ["of no resource", [], [URL_OF_TEST], ["error structure Resource"]],
    ["of a resource whose type is no name", { resourceType: "<s3cret>" }, [URL_OF_TEST], ["error structure Resource"]],
  ])("%s", (_what, resource, asked, expected) => {
    expect(errors(resource, asked)).toEqual(expected);
  });

  it("are found among many claims, and notes are bounded", () => {
    const claims = Array.from({ length: 500 }, (_, index) => `https://example.org/${index}`);
    const issues = validator.validate(observation({ meta: { profile: [...claims, URL_OF_TEST] } }));
    expect(issues.filter(({ severity }) => severity === "error")).toHaveLength(1);
    expect(issues.length).toBeLessThan(50);
  });

  it("are told apart by version", () => {
    const second = compileProfiles({ structureDefinitions: [profile("Observation", [required], { version: "2" })] });
    expect(second.validate(observation({ status: "x" }), [`${URL_OF_TEST}|2`])).toEqual([]);
    expect(second.validate(observation({ status: "x" }), [`${URL_OF_TEST}|1`])).toHaveLength(1);
  });

  it("never throws, and never repeats what it was given, whatever the JSON (S15)", () => {
    const wide = compiled([
      required,
      { id: "Observation.code", patternCodeableConcept: { coding: [{ code: "a" }] } },
      {
        id: "Observation.component",
        max: "1",
        slicing: { discriminator: [{ type: "value", path: "code" }], rules: "closed" },
      },
      { id: "Observation.component:a", min: 1 },
      { id: "Observation.component:a.code", fixedCode: "a" },
      {
        id: "Observation.value[x]",
        type: [{ code: "string" }],
        constraint: [{ key: "k", severity: "error", expression: "$this.length() > 3" }],
      },
    ]);
    const names = fc.constantFrom(
      "status",
      "code",
      "component",
      "value",
      "valueString",
      "valueX",
      "_status",
      "coding",
      "meta",
      "profile",
      "__proto__",
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant("s3cret"),
        fc.constant(null),
        fc.integer(),
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("value"), { maxLength: 3 }),
      object: fc.dictionary(names, tie("value"), { maxKeys: 5 }),
    }));
    fc.assert(
      fc.property(json.object, (fields) => {
        const issues = wide.validate({ ...(fields as object), resourceType: "Observation" }, wide.urls);
        expect(JSON.stringify(issues)).not.toContain("s3cret");
      }),
      { numRuns: 300 },
    );
  });
});
