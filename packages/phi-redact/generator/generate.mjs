// Writes src/generated/elements.ts from the installed definitions: `node packages/phi-redact/generator/generate.mjs`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definitionsFolder, renderElements } from "./elements.mjs";

const folder = definitionsFolder();
if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed");
const out = join(import.meta.dirname, "../src/generated");
mkdirSync(out, { recursive: true });
const text = renderElements(folder);
writeFileSync(join(out, "elements.ts"), text);
console.log(`elements.ts ${text.length} characters`);
