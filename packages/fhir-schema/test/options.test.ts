import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type FhirSchemaOptions, fhirSchema } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";

function findingsIn(options: unknown): readonly string[] {
  try {
    fhirSchema(options as FhirSchemaOptions);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

describe("options", () => {
  it("tells every mistake at once, with the nearest name", () => {
    expect(() => fhirSchema({ maxCounts: 5 } as FhirSchemaOptions)).toThrow("did you mean `maxCount`?");
    expect(findingsIn({ maxCounts: 5, maxDepth: 0, queries: "on", types: ["Patiant"], allowLenient: "yes" })).toEqual([
      "maxCounts unknown-option",
      "queries unknown-value",
      "maxDepth not-a-limit",
      "allowLenient not-a-boolean",
      "types[0] unknown-type",
    ]);
  });

  it.each<[string, unknown, string]>([
    ["no number", { maxCount: "10" }, "maxCount not-a-limit"],
    ["a fraction", { requestBodyBytes: 1.5 }, "requestBodyBytes not-a-limit"],
    ["infinity", { maxArrayLength: Number.POSITIVE_INFINITY }, "maxArrayLength not-a-limit"],
    ["a negative chain", { maxChain: -1 }, "maxChain not-a-limit"],
    ["no issues", { maxIssues: 0 }, "maxIssues not-a-limit"],
    ["a report nobody hears", { responses: "report" }, "responses report-unheard"],
    ["answers that would be refused", { responses: "refuse", onReport: () => undefined }, "responses unknown-value"],
    ["operations that are no list", { operationDefinitions: {} }, "operationDefinitions not-a-list"],
    ["an operation that is none", { operationDefinitions: [{}] }, "operationDefinitions[0] not-a-definition"],
    ["faults of examples unseen", { exampleFaults: "off" }, "exampleFaults unknown-value"],
    ["a listener that is none", { onReport: "log" }, "onReport not-a-function"],
    ["no types", { types: [] }, "types not-a-list"],
    ["types as a text", { types: "Patient" }, "types not-a-list"],
    ["a parameter with its modifier", { extraParameters: ["a:exact"] }, "extraParameters[0] not-valid"],
    ["a base that is no URL", { baseUrls: ["fhir"] }, "baseUrls[0] not-valid"],
    ["profiles as a list", { profiles: [] }, "profiles not-an-object"],
    [
      "an unknown part of profiles",
      { profiles: { structureDefinitions: [], definitions: [] } },
      "profiles.definitions unknown-option",
    ],
    ["definitions that are none", { profiles: { structureDefinitions: [1] } }, "profiles not-a-list"],
    [
      "required profiles of no type",
      { profiles: { structureDefinitions: [], required: { Patiant: ["http://x.org"] } } },
      "profiles.required.Patiant unknown-type",
    ],
    [
      "a required profile nobody defines",
      { profiles: { structureDefinitions: [], required: { Patient: ["http://x.org/p"] } } },
      "profiles.required.Patient unknown-profile",
    ],
  ])("refuses %s", (_what, options, finding) => expect(findingsIn(options)).toContain(finding));

  it("fills in defaults, and freezes them", () => {
    const parsed = parseOptions({ maxCount: 50, types: ["Patient"] });
    expect(parsed).toMatchObject({
      resources: "refuse",
      queries: "refuse",
      responses: "off",
      maxCount: 50,
      maxIncludes: 10,
      maxChain: 3,
      maxParameters: 100,
      maxValues: 1000,
      maxIssues: 20,
      requestBodyBytes: 1_048_576,
      maxInflation: 100,
      maxDepth: 100,
      maxArrayLength: 10_000,
      exampleFaults: "report",
      allowLenient: false,
    });
    expect(Object.isFrozen(parsed)).toBe(true);
    expect([...(parsed.types ?? [])]).toEqual(["Patient"]);
  });
});
