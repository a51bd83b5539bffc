import { operationOutcome } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

describe("operationOutcome", () => {
  it("writes issues the way R4 does", () => {
    const issues = [
      { severity: "error", code: "required", text: "A status is required.", expression: ["Observation.status"] },
      { severity: "warning", code: "processing" },
    ] as const;
    expect(operationOutcome(issues)).toEqual({
      resourceType: "OperationOutcome",
      issue: [
        {
          severity: "error",
          code: "required",
          details: { text: "A status is required." },
          expression: ["Observation.status"],
        },
        { severity: "warning", code: "processing" },
      ],
    });
  });

  it("is never without an issue, nor with an empty list", () => {
    expect(operationOutcome([])).toEqual({
      resourceType: "OperationOutcome",
      issue: [{ severity: "information", code: "processing", details: { text: "All OK" } }],
    });
    expect(JSON.stringify(operationOutcome([{ severity: "error", code: "value", expression: [] }]))).not.toContain(
      "[]",
    );
  });
});
