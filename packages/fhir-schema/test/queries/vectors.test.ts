import { existsSync, readFileSync } from "node:fs";
import { parseInteraction } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";
import { checkSearch } from "../../src/queries/search.ts";
import { LIMITS } from "./support.ts";

interface Row {
  readonly id: string;
  readonly input: { readonly method: string; readonly path: string; readonly query: string };
  readonly expect: { readonly status: number };
}

const folder = new URL("../../../../../shared/vectors/fhir-queries/", import.meta.url);
const read = (name: string): readonly Row[] => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Row[];
/** Of US Core, answered by the server of the recording; base R4 does not have it. */
const BEYOND_R4 = new Set(["asserted-date"]);
/** What the server of the recording puts into its own paging links. */
const PAGING = new Set(["_getpages", "_getpagesoffset", "_bundletype"]);

function issuesOf({ input }: Row, extraParameters: ReadonlySet<string> = new Set()): readonly unknown[] {
  const { search } = parseInteraction(input);
  if (search === undefined) return ["no search"];
  return checkSearch(search, { of: "search", lenient: false }, { ...LIMITS, extraParameters }).issues;
}

if (!existsSync(folder)) {
  describe.skip("queries as clients send them (the shared vectors are not here)", () => {
    it("would be read", () => undefined);
  });
} else {
  describe("queries as clients send them", () => {
    it("a 200 passes; with the parameter beyond R4, when it is declared", () => {
      const rows = read("searches.json").filter(({ expect: { status } }) => status === 200);
      expect(rows.length).toBeGreaterThan(600);
      for (const row of rows) {
        const beyond = row.input.query.includes("asserted-date");
        expect(issuesOf(row).length > 0, row.id).toBe(beyond);
        expect(issuesOf(row, BEYOND_R4), row.id).toEqual([]);
      }
    });

    it("a 400 is refused", () => {
      const rows = read("searches.json").filter(({ expect: { status } }) => status === 400);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(issuesOf(row), row.id).not.toEqual([]);
    });

    it("a backend's own paging link passes when its parameters are declared", () => {
      for (const row of read("paging-links.json")) {
        expect(issuesOf(row), row.id).not.toEqual([]);
        expect(issuesOf(row, PAGING), row.id).toEqual([]);
      }
    });
  });
}
