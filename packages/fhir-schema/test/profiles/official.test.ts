import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ConfigurationError, type ConfigurationIssue } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { compileProfiles } from "../../src/profiles/compile.ts";

type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };

function definitionsFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve("hl7.fhir.r4.examples/package.json"));
  } catch {
    return undefined;
  }
}

const folder = definitionsFolder();
const read = (name: string): Resource => JSON.parse(readFileSync(join(folder ?? "", name), "utf8")) as Resource;
const named = (prefix: string, ids: string): readonly Resource[] =>
  ids.split(/\s+/).map((id) => read(`${prefix}-${id}.json`));

const describeOfficial = (name: string, suite: () => void): void => {
  if (folder === undefined && process.env["CI"] === "true") throw new Error("hl7.fhir.r4.examples is not installed");
  if (folder === undefined) describe.skip(`${name} (hl7.fhir.r4.examples is not installed)`, suite);
  else describe(name, suite);
};

const VITALS = "vitalsigns bmi bodyheight bodytemp bodyweight bp headcircum heartrate oxygensat resprate vitalspanel";
const UNITS = "ucum-bodylength ucum-bodytemp ucum-bodyweight ucum-vitals-common observation-status quantity-comparator";
const BASE = "http://hl7.org/fhir/StructureDefinition/";

describeOfficial("official vital signs of R4", () => {
  const compile = (): ReturnType<typeof compileProfiles> =>
    compileProfiles({
      structureDefinitions: [...named("StructureDefinition", `${VITALS} SimpleQuantity`)],
      valueSets: [...named("ValueSet", UNITS), ...named("CodeSystem", "observation-status quantity-comparator")],
    });

  it("are judged in full", () => {
    expect(compile().skipped).toEqual([]);
  });

  it("accept every official example that claims one", () => {
    const validator = compile();
    const examples = readdirSync(folder ?? "")
      .filter((name) => name.startsWith("Observation-"))
      .map(read)
      .filter(({ meta }) => JSON.stringify(meta ?? {}).includes(`${BASE}vitalsigns`));
    expect(examples.length).toBeGreaterThanOrEqual(12);
    for (const example of examples) {
      const errors = validator.validate(example).filter(({ severity }) => severity === "error");
      expect([example["id"], errors]).toEqual([example["id"], []]);
    }
  });

  type Corruption = readonly [what: string, change: (copy: Mutable) => void, expected: readonly string[]];
  interface Mutable {
    [name: string]: unknown;
    component: { code: { coding: { code: string }[] }; valueQuantity: Record<string, unknown>; valueString?: string }[];
    category: unknown[];
    valueQuantity?: object;
  }
  const bloodPressure = (): Mutable => structuredClone(read("Observation-blood-pressure.json")) as unknown as Mutable;

  it.each<Corruption>([
    ["nothing changed", () => undefined, []],
    ["no subject", (copy) => delete copy["subject"], ["required Observation.subject"]],
    ["no date", (copy) => delete copy["effectiveDateTime"], ["required Observation.effective"]],
    [
      "a date of another type",
      (copy) => {
        copy["effectiveInstant"] = copy["effectiveDateTime"];
        delete copy["effectiveDateTime"];
      },
      ["structure Observation.effective"],
    ],
    ["a short date", (copy) => (copy["effectiveDateTime"] = "2012"), ["invariant Observation.effective"]],
    ["another status", (copy) => (copy["status"] = "s3cret"), ["code-invalid Observation.status"]],
    [
      "no category",
      (copy) => copy.category.splice(0),
      ["required Observation.category", "required Observation.category"],
    ],
    ["a value of its own", (copy) => (copy.valueQuantity = { value: 1 }), ["structure Observation.value"]],
    [
      "no diastolic",
      (copy) => copy.component.splice(1, 1),
      ["required Observation.component", "required Observation.component"],
    ],
    [
      "two systolic",
      (copy) => copy.component.push(structuredClone(copy.component[0] as never)),
      ["structure Observation.component"],
    ],
    [
      "another unit",
      (copy) => Object.assign(copy.component[0]?.valueQuantity ?? {}, { code: "kPa" }),
      [
        "code-invalid Observation.component[0].value",
        "value Observation.component[0].value.code",
        "code-invalid Observation.component[0].value",
      ],
    ],
    [
      "no unit",
      (copy) => delete copy.component[0]?.valueQuantity["unit"],
      ["required Observation.component[0].value.unit"],
    ],
    [
      "a component without value or reason",
      (copy) => delete (copy.component[0] as Record<string, unknown> | undefined)?.["valueQuantity"],
      ["invariant Observation.component[0]"],
    ],
  ])("blood pressure with %s", (_what, change, expected) => {
    const copy = bloodPressure();
    change(copy);
    const errors = compile()
      .validate(copy, [`${BASE}bp`])
      .filter(({ severity }) => severity === "error");
    expect([...new Set(errors.map(({ issue, expression }) => `${issue} ${expression ?? ""}`))]).toEqual([
      ...new Set(expected),
    ]);
    expect(JSON.stringify(errors)).not.toContain("s3cret");
  });

  it("compiles every official profile with a snapshot, but for rules that are regular expressions", () => {
    const profiles = readdirSync(folder ?? "")
      .filter((name) => name.startsWith("StructureDefinition-"))
      .map(read)
      .filter(({ derivation, snapshot }) => derivation === "constraint" && snapshot !== undefined);
    expect(profiles.length).toBeGreaterThan(400);
    const issues = issuesOf(() => compileProfiles({ structureDefinitions: profiles }));
    expect(issues.map(({ path }) => path.replace(/^\S+ /, ""))).toEqual([
      "(ElementDefinition, eld-16)",
      "(ElementDefinition, eld-19)",
    ]);
  });
});

function issuesOf(act: () => unknown): readonly ConfigurationIssue[] {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues;
    throw error;
  }
}
