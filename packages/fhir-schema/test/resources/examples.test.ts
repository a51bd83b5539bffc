import { expect, it } from "vitest";
import type { SchemaIssue } from "../../src/issues.ts";
import { validateResource } from "../../src/resources/validate.ts";
import { describeWithDefinitions, readResource, resourceFiles } from "./definitions.ts";

/** Every resource of the package that is refused; the official JSON schema refuses each (of the Bundle, an entry) as well. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  // Codes with two blanks in a row.
  "Bundle-v2-valuesets.json": ["value Bundle.entry.resource.concept.code"],
  "CodeSystem-v2-0550.json": ["value CodeSystem.concept.code"],
  // An id of 66 characters.
  "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json": [
    "value SearchParameter.id",
  ],
};

/** What breaks a rule of R4 that the official JSON schema leaves out: a required primitive, the form of a reference. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ["ImplementationGuide-fhir.json", "ig-r4.json"].map((name) => [
      name,
      [
        "value ImplementationGuide.manifest.resource.reference.reference",
        "required ImplementationGuide.name",
        "required ImplementationGuide.status",
      ],
    ]),
  ),
  "Questionnaire-qs1.json": [2, 3, 4].map((depth) => `required Questionnaire${".item".repeat(depth)}.linkId`),
  ...Object.fromEntries(
    ["author", "effective", "end", "keyword", "workflow"].flatMap((name) =>
      ["codesystem-extensions-CodeSystem", "valueset-extensions-ValueSet"].map((extension) => [
        `SearchParameter-${extension}-${name}.json`,
        ["required SearchParameter.base"],
      ]),
    ),
  ),
};

/** Each element once. */
function places(issues: readonly SchemaIssue[]): readonly string[] {
  const all = issues.map(({ issue, expression = "" }) => `${issue} ${expression.replaceAll(/\[\d+\]/g, "")}`);
  return [...new Set(all)];
}

describeWithDefinitions("the 5,306 official resources of R4", (folder) => {
  it("are accepted where the official JSON schema accepts them; what R4's text says besides is told, or refused if asked", () => {
    const files = resourceFiles(folder);
    const refused: Record<string, readonly string[]> = {};
    const told: Record<string, readonly string[]> = {};
    for (const name of files) {
      const resource = readResource(folder, name);
      const issues = validateResource(resource);
      if (issues.length === 0) continue;
      const errors = issues.filter(({ severity }) => severity === "error");
      (errors.length > 0 ? refused : told)[name] = places(errors.length > 0 ? errors : issues);
      const strict = validateResource(resource, { exampleFaults: "refuse" });
      expect(
        strict.map(({ severity }) => severity),
        name,
      ).toContain("error");
    }
    expect(files).toHaveLength(5_306);
    expect(refused).toEqual(REFUSED);
    expect(told).toEqual(TOLD);
  }, 60_000);
});
