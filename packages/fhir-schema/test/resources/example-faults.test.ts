import { describe, expect, it } from "vitest";
import { validateResource } from "../../src/resources/validate.ts";

const SEARCH_PARAMETER = {
  resourceType: "SearchParameter",
  url: "http://example.org/p",
  name: "p",
  status: "active",
  description: "x",
  code: "p",
  type: "token",
};
const questionnaire = (item: readonly object[]) => ({ resourceType: "Questionnaire", status: "draft", item });
const unlinked = { type: "display" };
const told = (resource: unknown, limits?: Parameters<typeof validateResource>[1]) =>
  validateResource(resource, limits).map(({ severity, issue, expression }) => `${severity} ${issue} ${expression}`);

const LONG = "A".repeat(65);
const referring = (reference: string) => ({ resourceType: "Basic", code: { text: "x" }, subject: { reference } });

describe("what examples published with R4 do though R4 forbids it", () => {
  it("is a warning at its place, or refused when asked", () => {
    expect(told(SEARCH_PARAMETER)).toEqual(["warning required SearchParameter.base"]);
    expect(told(SEARCH_PARAMETER, { exampleFaults: "refuse" })).toEqual(["error required SearchParameter.base"]);
    const contained = { resourceType: "Patient", contained: [SEARCH_PARAMETER] };
    expect(told(contained)).toEqual(["warning required Patient.contained[0].base"]);
    const entry = [{ resource: questionnaire([unlinked, { ...unlinked, linkId: "1", item: [unlinked] }]) }];
    expect(told({ resourceType: "Bundle", type: "collection", entry })).toEqual([
      "warning required Bundle.entry[0].resource.item[0].linkId",
      "warning required Bundle.entry[0].resource.item[1].item[0].linkId",
    ]);
  });

  it("is nothing but the absence: an empty list, null and another type are refused", () => {
    for (const base of [[], null, "Patient", ["X"], [null]]) {
      expect(told({ ...SEARCH_PARAMETER, base })[0], String(base)).toMatch(/^error /);
    }
    expect(told(questionnaire([{ ...unlinked, linkId: "" }]))).toEqual(["error value Questionnaire.item[0].linkId"]);
  });

  it("is no excuse elsewhere: an answer needs its linkId, a library its status", () => {
    const answer = { resourceType: "QuestionnaireResponse", status: "completed", item: [{ text: "x" }] };
    expect(told(answer)).toEqual(["error required QuestionnaireResponse.item[0].linkId"]);
    expect(told({ resourceType: "Library", type: { text: "x" } })).toEqual(["error required Library.status"]);
  });

  it("takes a reference to an id of more than 64 characters, and no other that does not parse", () => {
    expect(told(referring(`Patient/${"A".repeat(64)}`))).toEqual([]);
    expect(told(referring(`Patient/${LONG}`))).toEqual(["warning value Basic.subject.reference"]);
    expect(told(referring(`Patient/${LONG}`), { exampleFaults: "refuse" })).toEqual([
      "error value Basic.subject.reference",
    ]);
    for (const reference of [
      `Foo/${LONG}`,
      `Patient/${LONG}_`,
      `Patient/${LONG}/x`,
      `../Patient/${LONG}`,
      `/${LONG}`,
    ]) {
      expect(told(referring(reference)), reference).toEqual(["error value Basic.subject.reference"]);
    }
  });

  it("hides no error, however often it is done (S12)", () => {
    const many = Array.from({ length: 500 }, () => unlinked);
    const hidden = questionnaire([...many, { ...unlinked, linkId: "1", unknown: 1 }]);
    const issues = told(hidden, { maxIssues: 5 });
    expect(issues).toHaveLength(5);
    expect(issues[0]).toBe("error structure Questionnaire.item[500]");
    expect(issues.slice(1).every((issue) => issue.startsWith("warning required"))).toBe(true);
    // In one object: the rest of what it must hold is still looked for.
    expect(told({ resourceType: "ImplementationGuide", url: "http://example.org/g" })).toEqual([
      "error required ImplementationGuide.packageId",
      "warning required ImplementationGuide.name",
      "warning required ImplementationGuide.status",
    ]);
  });
});
