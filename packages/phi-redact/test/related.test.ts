import { describe, expect, it } from "vitest";
import { relatedResources } from "../src/categories/related.ts";
import type { JsonObject } from "../src/values.ts";

const withheld: JsonObject = { resourceType: "Condition", id: "c1" };
const bundle = (...references: readonly string[]): JsonObject => ({
  resourceType: "Bundle",
  entry: [
    { resource: withheld },
    ...references.map((reference) => ({ resource: { resourceType: "MedicationRequest", reason: [{ reference }] } })),
  ],
});
const fatesOf = (body: JsonObject) => relatedResources(body, (one) => (one === withheld ? "drop" : "keep"));

describe("references to what is withheld", () => {
  it.each(["Condition/c1", "https://ehr.example.org/r4/Condition/c1", "Condition/c1/_history/2", "r4/Condition/c1"])(
    "%s is one",
    (reference) => {
      const related = fatesOf(bundle(reference));
      expect(related.fates.size).toBe(2);
      expect(related.isWithheld(reference)).toBe(true);
    },
  );

  it.each(["Condition/c10", "xCondition/c1", "Condition/c1/x", "Condition/c1?x"])("%s is none", (reference) => {
    const related = fatesOf(bundle(reference));
    expect(related.fates.size).toBe(1);
    expect(related.isWithheld(reference)).toBe(false);
  });

  // Read again from each of its letters, it would not come to an end within this test's time.
  it.each(["hi", "A/b", "a/_history/"])(
    "S10: a reference of 1 MB made of %j is read once",
    { timeout: 15_000 },
    (unit) => {
      expect(fatesOf(bundle(unit.repeat(1_048_576 / unit.length))).fates.size).toBe(1);
    },
  );
});
