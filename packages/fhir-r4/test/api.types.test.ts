import {
  inCompartment,
  matches,
  type OutcomeIssue,
  operationOutcome,
  type ParsedReference,
  parseInteraction,
  parseSearch,
  patientsOf,
} from "@wardline/fhir-r4";
import type { Interaction, SearchQuery } from "@wardline/policy-types";
import type { Observation } from "fhir/r4.js";
import { expect, expectTypeOf, it } from "vitest";

it("takes resources as other libraries type them", () => {
  const observation: Observation = {
    resourceType: "Observation",
    status: "final",
    code: { text: "weight" },
    subject: { reference: "Patient/1" },
  };
  const { criteria } = parseSearch(["Observation"], [["status", "final"]]);
  expect(patientsOf(observation)).toEqual(["1"]);
  expect(inCompartment(observation, { type: "Patient", id: "1" }, "subject")).toBe(true);
  expect(matches(observation, criteria)).toBe(true);
});

it("speaks the shared vocabulary", () => {
  expectTypeOf(parseInteraction).returns.toEqualTypeOf<Interaction>();
  expectTypeOf(parseSearch).returns.toEqualTypeOf<SearchQuery>();
  expectTypeOf(matches).returns.toEqualTypeOf<boolean | "undecided">();
  expectTypeOf<ParsedReference["kind"]>().toEqualTypeOf<"literal" | "contained" | "urn" | "external" | "invalid">();
  expectTypeOf(operationOutcome).parameter(0).toEqualTypeOf<readonly OutcomeIssue[]>();
  // @ts-expect-error only the Patient compartment is decided in memory
  expect(inCompartment({}, { type: "Device", id: "1" }, "full")).toBe(false);
});
