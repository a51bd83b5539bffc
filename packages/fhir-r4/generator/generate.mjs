// Writes src/generated/*.ts from the installed definitions: `pnpm generate:fhir-r4`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definitionsFolder, readDefinitions } from "./definitions.mjs";
import { generateTables } from "./tables.mjs";

const folder = definitionsFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed");
const out = join(import.meta.dirname, "../src/generated");
mkdirSync(out, { recursive: true });
for (const [name, text] of Object.entries(generateTables(readDefinitions(folder)))) {
  writeFileSync(join(out, name), text);
  console.log(`${name} ${text.length} characters`);
}
