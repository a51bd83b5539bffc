import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { definitionsFolder, readDefinitions } from "../../../fhir-r4/generator/definitions.mjs";
import { generateQueryTables } from "../../generator/query-tables.mjs";

const folder = definitionsFolder();

describe.skipIf(folder === undefined)("the tables of queries and operations", () => {
  it("are what the generator writes from the official definitions", () => {
    if (folder === undefined) return;
    for (const [name, text] of Object.entries(generateQueryTables(readDefinitions(folder)))) {
      expect(readFileSync(new URL(`../../src/${name}`, import.meta.url), "utf8")).toBe(text);
    }
  });
});
