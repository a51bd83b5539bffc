import { describe, expect, it, vi } from "vitest";
import { compiled } from "./support/profile.ts";

vi.mock("../../src/profiles/fhirpath.ts", () => ({ loadFhirPath: () => undefined }));

const rule = (expression: string): object => ({ constraint: [{ key: "x-1", severity: "error", expression }] });

describe("compileProfiles() where the package fhirpath is not installed", () => {
  it("refuses profiles with invariants once, and says what to install", () => {
    const elements = [
      { id: "Observation.code", ...rule("coding.exists()") },
      { id: "Observation.note", ...rule("text.exists()") },
    ];
    expect(() => compiled(elements)).toThrow(
      expect.objectContaining({
        issues: [
          {
            path: "",
            code: "fhirpath-missing",
            message: "the profiles have invariants: install the package `fhirpath`",
          },
        ],
      }),
    );
  });

  it("judges profiles that have none but those every element has", () => {
    const element = { id: "Observation.note", ...rule("hasValue() or (children().count() > id.count())") };
    const validator = compiled([element]);
    expect(validator.validate({ resourceType: "Observation", note: [{}] }, validator.urls)).toMatchObject([
      { issue: "invariant", expression: "Observation.note[0]" },
    ]);
  });
});
