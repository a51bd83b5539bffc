import { RESOURCE_TYPES } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";
import { namesOf, nodeRule } from "../../src/resources/nodes.ts";
import { validateResource } from "../../src/resources/validate.ts";
import { minimalResource } from "./minimal.ts";

interface Demand {
  /** `Bundle.entry.request.url` */
  readonly path: string;
  readonly holder: Record<string, unknown>;
  readonly property: string;
}

/** Every required element of the resource type and of its elements with children. */
function demands(resource: Record<string, unknown>, type: string): readonly Demand[] {
  const within = (node: string, holder: Record<string, unknown>): readonly Demand[] =>
    nodeRule(node).elements.flatMap((element) => {
      const [property = element.name] = namesOf(element);
      const own = element.required ? [{ path: `${node}.${element.name}`, holder, property }] : [];
      const [child = ""] = element.types;
      const value = [holder[property]].flat()[0];
      const isBelow = child.startsWith(`${node}.`) && value !== undefined;
      return isBelow ? [...own, ...within(child, value as Record<string, unknown>)] : own;
    });
  return within(type, resource);
}

describe("cardinality, of every element of every resource type that R4 demands", () => {
  it("what holds the least is right; one element left out is refused, but for the few that examples of R4 leave out", () => {
    let left = 0;
    const told = new Set<string>();
    for (const type of RESOURCE_TYPES) {
      const resource = minimalResource(type);
      expect(validateResource(resource), JSON.stringify(resource)).toEqual([]);
      for (const { path, holder, property } of demands(resource, type)) {
        const { [property]: value } = holder;
        // An object without anything is refused as such.
        if (Object.keys(holder).length === 1) holder["id"] = "x";
        delete holder[property];
        left++;
        const [first] = validateResource(resource);
        expect([path, first?.issue]).toEqual([path, "required"]);
        if (first?.severity === "warning") told.add(path);
        expect(validateResource(resource, { exampleFaults: "refuse" })[0]).toEqual({ ...first, severity: "error" });
        holder[property] = value;
      }
    }
    expect(left).toBeGreaterThan(600);
    expect([...told].sort()).toEqual([
      "ImplementationGuide.name",
      "ImplementationGuide.status",
      "Questionnaire.item.linkId",
      "SearchParameter.base",
    ]);
  }, 60_000);
});
