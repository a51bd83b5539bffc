// Writes src/generated/*.ts from the installed definitions: `node packages/fhir-schema/generator/generate.mjs`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStructures, structuresFolder } from "./structures.mjs";
import { generateTables } from "./tables.mjs";

const folder = structuresFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed");
const out = join(import.meta.dirname, "../src/generated");
mkdirSync(out, { recursive: true });
for (const [name, text] of Object.entries(generateTables(readStructures(folder)))) {
  writeFileSync(join(out, name), text);
  console.log(`${name} ${text.length} characters`);
}
