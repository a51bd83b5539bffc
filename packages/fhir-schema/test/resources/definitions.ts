import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import { structuresFolder } from "../../generator/structures.mjs";

const installed = structuresFolder();

/** A suite over the official definitions; skipped, and said so, without hl7.fhir.r4.examples; in CI that is a fault. */
export function describeWithDefinitions(name: string, suite: (folder: string) => void): void {
  if (installed === undefined && process.env["CI"] === "true") throw new Error("hl7.fhir.r4.examples is not installed");
  if (installed === undefined) describe.skip(`${name} (hl7.fhir.r4.examples is not installed)`, () => suite(""));
  else describe(name, () => suite(installed));
}

/** The names of the resource files, in an order that does not depend on the file system. */
export function resourceFiles(folder: string): readonly string[] {
  if (folder === "") return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.filter((name) => name !== "package.json" && name !== ".index.json").sort();
}

export function readResource(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}
