import { existsSync, readFileSync } from "node:fs";
import { parseInteraction } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

interface Row {
  readonly id: string;
  readonly input: { readonly method: string; readonly path: string; readonly query: string };
  readonly expect: { readonly status: number };
}

const folder = new URL("../../../../shared/vectors/fhir-queries/", import.meta.url);
const read = (name: string): readonly Row[] => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Row[];

/** A parameter beyond base R4 that the server of the recording answered. */
const BEYOND_R4 = new Set(["Condition.asserted-date"]);

function unknownCriteria({ input }: Row): readonly string[] {
  const { type, search } = parseInteraction(input);
  return (search?.criteria ?? []).filter(({ known }) => !known).map(({ raw }) => `${type}.${raw}`);
}

if (!existsSync(folder)) {
  describe.skip("queries as clients send them (the shared vectors are not here)", () => {
    it("would be read", () => undefined);
  });
} else {
  describe("queries as clients send them", () => {
    it("a 200 is fully known, apart from the parameter beyond R4", () => {
      const rows = read("searches.json").filter(({ expect: { status } }) => status === 200);
      expect(rows.length).toBeGreaterThan(600);
      for (const row of rows) {
        expect(parseInteraction(row.input).code, row.id).toBe("search-type");
        expect(
          unknownCriteria(row).filter((name) => !BEYOND_R4.has(name)),
          row.id,
        ).toEqual([]);
      }
    });

    it("a 400 holds a parameter that R4 does not have", () => {
      const rows = read("searches.json").filter(({ expect: { status } }) => status === 400);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(unknownCriteria(row), row.id).not.toEqual([]);
    });

    it("a backend's own paging link is a search across all types with parameters nobody knows", () => {
      for (const row of read("paging-links.json")) {
        const { code, touches } = parseInteraction(row.input);
        expect(code, row.id).toBe("search-system");
        expect(touches[0], row.id).toEqual({ type: "*", via: "base" });
        expect(unknownCriteria(row), row.id).not.toEqual([]);
      }
    });
  });
}
