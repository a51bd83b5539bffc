import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import { definitionsFolder } from "../../generator/definitions.mjs";

const installed = definitionsFolder();

/** A suite over the official definitions; skipped, and said so, without hl7.fhir.r4.examples; in CI that is a fault. */
export function describeWithDefinitions(name: string, suite: (folder: string) => void): void {
  if (installed === undefined && process.env["CI"] === "true") throw new Error("hl7.fhir.r4.examples is not installed");
  if (installed === undefined) describe.skip(`${name} (hl7.fhir.r4.examples is not installed)`, () => suite(""));
  else describe(name, () => suite(installed));
}

/**
 * The types the package uses to define R4 itself: 4,560 of its 5,306 resources. What is left are the 746 ordinary
 * examples; among them are a few definitions that a server stores like any other resource (Questionnaire, Library).
 */
const DEFINING = [
  "StructureDefinition",
  "SearchParameter",
  "OperationDefinition",
  "CodeSystem",
  "ValueSet",
  "ConceptMap",
];

export type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };

export function ordinaryExamples(folder: string): readonly Resource[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json") && name !== "package.json")
    .filter((name) => !DEFINING.some((type) => name.startsWith(`${type}-`)))
    .map((name): unknown => JSON.parse(readFileSync(join(folder, name), "utf8")))
    .filter(
      (content): content is Resource => typeof content === "object" && content !== null && "resourceType" in content,
    )
    .filter(({ resourceType }) => !DEFINING.includes(resourceType));
}
