import fc from "fast-check";
import { expect, it } from "vitest";
import { createPathPattern } from "../src/path-pattern.ts";

const pattern = createPathPattern(["fhir", "card"]);

it.each([
  ["/fhir/Patient/123/_history/4?x=y", "/fhir/Patient/{}/_history/{}"],
  ["/fhir/Patient/$ssn-078", "/fhir/Patient/$*"],
  ["//fhir//card/", "/fhir/card"],
  ["/jane/card#x", "/{}/{}"],
  ["/FHIR/patient", "/{}/{}"],
  ["", "/"],
  [`/${"card/".repeat(20)}`, `/${"card/".repeat(12)}{}`],
])("%s is shown as %s", (path, shown) => {
  expect(pattern(path)).toBe(shown);
});

it("A14: whatever is asked, only known words are shown, and not many of them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom("fhir", "card", "Patient", "$everything"))),
      (segments) => {
        const shown = pattern(`/${segments.join("/")}`);
        expect(shown).toMatch(/^\/(?:(?:fhir|card|metadata|_history|_search|\*|[A-Z][A-Za-z]+|\{\}|\$\*)(?:\/|$))*$/);
        expect(shown.split("/").length).toBeLessThanOrEqual(14);
      },
    ),
  );
});
