import { readFileSync } from "node:fs";
import { RESOURCE_TYPES } from "@wardline/fhir-r4";
import { expect, it } from "vitest";
import { renderElements } from "../generator/elements.mjs";
import { isKnownType, typeDefinition } from "../src/definitions.ts";
import { describeWithDefinitions } from "./support/definitions.ts";

describeWithDefinitions("the generated elements", (folder) => {
  it("are what the official definitions give", () => {
    const committed = readFileSync(new URL("../src/generated/elements.ts", import.meta.url), "utf8");
    expect(committed).toBe(renderElements(folder));
  });
});

it("every resource type has its elements, and every element a type that is known", () => {
  expect(RESOURCE_TYPES.filter((type) => typeDefinition(type, true) === undefined)).toEqual([]);
  const types = RESOURCE_TYPES.flatMap((type) =>
    [...(typeDefinition(type, true)?.values() ?? [])].map((one) => one.type),
  );
  expect(
    [...new Set(types)].filter((type) => /^[A-Z]/.test(type) && type !== "Resource" && !isKnownType(type)),
  ).toEqual([]);
});

it("a choice stands under the name JSON has for it, and under its own", () => {
  const observation = typeDefinition("Observation", true);
  expect(observation?.get("valueQuantity")).toEqual({ type: "Quantity", name: "value", required: false });
  expect(observation?.get("status")?.required).toBe(true);
  expect(observation?.has("value")).toBe(false);
});
