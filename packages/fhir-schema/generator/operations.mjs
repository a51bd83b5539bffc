// Writes the tables of queries and operations from the installed definitions: `node generator/operations.mjs`.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { definitionsFolder, readDefinitions } from "../../fhir-r4/generator/definitions.mjs";
import { generateQueryTables } from "./query-tables.mjs";

const folder = definitionsFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed");
for (const [name, text] of Object.entries(generateQueryTables(readDefinitions(folder)))) {
  const file = join(import.meta.dirname, "../src", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`${name} ${text.length} characters`);
}
