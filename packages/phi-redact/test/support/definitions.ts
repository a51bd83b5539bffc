import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@wardline/policy-types/express";
import { describe } from "vitest";
import { definitionsFolder } from "../../generator/elements.mjs";

export type Resource = { [name: string]: Json };

const installed = definitionsFolder();

/** A suite over the official definitions; skipped, and said so, without hl7.fhir.r4.examples; in CI that is a fault. */
export function describeWithDefinitions(name: string, suite: (folder: string) => void): void {
  if (installed === undefined && process.env["CI"] === "true") throw new Error("hl7.fhir.r4.examples is not installed");
  if (installed === undefined) describe.skip(`${name} (hl7.fhir.r4.examples is not installed)`, () => suite(""));
  else describe(name, () => suite(installed));
}

/** The types the package uses to define R4 itself; what is left are the 746 ordinary examples. */
const DEFINING = [
  "StructureDefinition",
  "SearchParameter",
  "OperationDefinition",
  "CodeSystem",
  "ValueSet",
  "ConceptMap",
];

export function ordinaryExamples(folder: string): readonly Resource[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json") && name !== "package.json")
    .filter((name) => !DEFINING.some((type) => name.startsWith(`${type}-`)))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Resource)
    .filter(({ resourceType }) => typeof resourceType === "string" && !DEFINING.includes(resourceType));
}
