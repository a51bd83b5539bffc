import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { inCompartment, matches, parseInteraction, parseSearch, patientsOf } from "@wardline/fhir-r4";
import { expect, it } from "vitest";

it("the README's example runs and says what its comments say", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, code = ""] = /```ts\nimport .*\n([\s\S]*?)```/.exec(readme) ?? [];
  const said: unknown[][] = [];
  const console = { log: (...values: unknown[]) => said.push(values) };
  runInNewContext(code, { inCompartment, matches, parseInteraction, parseSearch, patientsOf, console });
  const included = ["CareTeam", "Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"];
  expect(said).toEqual([
    ["search-type", "Observation"],
    [[{ type: "Observation", via: "base" }, ...included.map((type) => ({ type, via: "include" }))]],
    [["1"]],
    [true],
    [true],
  ]);
});
