import {
  inCompartment,
  matches,
  parseInteraction,
  parseSearch,
  patientsOf,
  searchParametersOf,
} from "@wardline/fhir-r4";
import { expect, it } from "vitest";
import { isRecord, visitElements } from "../src/element-paths.ts";
import { elementPathsOf } from "../src/search-parameters.ts";
import { describeWithDefinitions, ordinaryExamples, type Resource } from "./support/definitions.ts";

/** Every Patient reference of a resource's own elements, found by reading its JSON; the slow and obvious way. */
function patientsInText(resource: Resource): ReadonlySet<string> {
  const text = JSON.stringify({ ...resource, text: undefined, contained: undefined });
  return new Set([...text.matchAll(/"reference":"Patient\/([A-Za-z0-9\-.]+)/g)].map((match) => match[1] ?? ""));
}

/** A search value that must find the element it was made from. */
function valueFor(element: unknown, leaf: string): string | undefined {
  const escaped = (text: unknown) => (typeof text === "string" ? text.replace(/[\\,|$]/g, "\\$&") : undefined);
  const join = (system: unknown, code: unknown) =>
    typeof code !== "string"
      ? undefined
      : typeof system === "string"
        ? `${escaped(system)}|${escaped(code)}`
        : escaped(code);
  if (leaf === "Period" && isRecord(element))
    return typeof element["start"] === "string" ? `ge${element["start"]}` : undefined;
  if (leaf === "Reference" && isRecord(element)) {
    const reference = element["reference"];
    return typeof reference === "string" && !reference.startsWith("#") ? escaped(reference) : undefined;
  }
  if (leaf === "Coding" && isRecord(element)) return join(element["system"], element["code"]);
  if (leaf === "Identifier" && isRecord(element)) return join(element["system"], element["value"]);
  if (leaf === "ContactPoint" && isRecord(element)) return escaped(element["value"]);
  if (leaf === "HumanName" && isRecord(element)) return escaped(element["family"]);
  if (leaf === "Address" && isRecord(element)) return escaped(element["city"]);
  if (leaf === "Quantity" && isRecord(element) && element["comparator"] === undefined) {
    return typeof element["value"] === "number" ? String(element["value"]) : undefined;
  }
  if (leaf === "CodeableConcept" && isRecord(element)) {
    const [coding] = Array.isArray(element["coding"]) ? (element["coding"] as unknown[]) : [];
    return isRecord(coding) ? join(coding["system"], coding["code"]) : undefined;
  }
  return isRecord(element) || Array.isArray(element) ? undefined : escaped(String(element));
}

describeWithDefinitions("the 746 ordinary examples of R4", (folder) => {
  const examples = folder === "" ? [] : ordinaryExamples(folder);

  it("are all there", () => {
    expect(examples).toHaveLength(746);
  });

  it("can be read, created and searched for by name", () => {
    for (const { resourceType: type, id } of examples) {
      expect(parseInteraction({ method: "GET", path: `/${type}/${String(id)}` })).toMatchObject({
        code: "read",
        type,
        id,
      });
      expect(parseInteraction({ method: "POST", path: `/${type}` })).toMatchObject({ code: "create", type });
    }
  });

  it("hold batches and transactions of which every entry is named", () => {
    const bundles = examples.filter(({ type }) => type === "batch" || type === "transaction");
    expect(bundles.length).toBeGreaterThan(2);
    // One names its server in every URL. One repeats the type in ifNoneExist, which holds "just the query portion".
    const options = { baseUrls: ["http://hl7.org/fhir/us/sdc"] };
    const unnamed = bundles.flatMap((body) => {
      const { code, entries } = parseInteraction({ method: "POST", path: "/", body }, options);
      expect(code).toBe(body["type"]);
      expect(entries.length).toBeGreaterThan(0);
      return entries
        .filter(({ interaction }) => interaction.code === "unknown")
        .map(({ index, interaction }) => [body["id"], index, interaction.unknownBecause]);
    });
    expect(unnamed).toEqual([["xds", 1, "the condition cannot be decoded"]]);
  });

  it("belong to patients they name, and 393 do", () => {
    let belonging = 0;
    let alone = 0;
    for (const resource of examples) {
      const patients = patientsOf(resource);
      const named = patientsInText(resource);
      for (const id of patients) {
        const compartment = { type: "Patient", id } as const;
        expect(
          resource.resourceType === "Patient" || named.has(id),
          `${resource.resourceType} ${String(resource["id"])}`,
        ).toBe(true);
        expect(inCompartment(resource, compartment, "full")).toBe(true);
      }
      for (const id of named)
        if (!patients.includes(id)) expect(inCompartment(resource, { type: "Patient", id }, "full")).toBe(false);
      if (patients.length > 0) belonging++;
      if (patients.some((id) => inCompartment(resource, { type: "Patient", id }, "subject"))) alone++;
    }
    // Six more are about several patients (Group), about nobody (List without a subject), or name actors by an
    // identifier without a type (AuditEvent).
    expect({ belonging, alone }).toEqual({ belonging: 393, alone: 387 });
  });

  it("are found by every value they hold", () => {
    let checked = 0;
    let decided = 0;
    for (const resource of examples) {
      for (const parameter of searchParametersOf(resource.resourceType)) {
        for (const path of elementPathsOf(parameter)) {
          if (path.only !== undefined) continue;
          const values: string[] = [];
          visitElements(
            resource,
            path,
            (element, into: string[]) => {
              const value = valueFor(element, path.leaf);
              if (value !== undefined && value !== "") into.push(value);
            },
            values,
          );
          for (const value of values) {
            const verdict = matches(resource, parseSearch([resource.resourceType], [[parameter.code, value]]).criteria);
            checked++;
            if (verdict === true) decided++;
            expect(verdict, `${resource.resourceType}/${String(resource["id"])} ${parameter.code}=${value}`).not.toBe(
              false,
            );
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(5_000);
    expect(decided / checked).toBeGreaterThan(0.9);
  });
});
