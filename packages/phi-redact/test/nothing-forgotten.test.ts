import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../src/index.ts";
import { redacted } from "./support/values.ts";

const SECRET = "zq-secret";
const MASKED = {
  extension: [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" }],
};
const { redact } = createRedactor({ profile: "minimum-necessary" });
const leaves = (resource: Json): string => JSON.stringify(redact(resource) ?? null);
const observation = { resourceType: "Observation", status: "final", code: { coding: [{ code: "1" }] } };

describe("nothing is forgotten (S11)", () => {
  it.each<[string, Json]>([
    ["narrative", { ...observation, text: { status: "generated", div: `<div>${SECRET}</div>` } }],
    [
      "a section's narrative",
      { resourceType: "Composition", section: [{ section: [{ text: { status: "generated", div: SECRET } }] }] },
    ],
    ["Reference.display", { ...observation, subject: { reference: "Patient/1", display: SECRET } }],
    ["Reference.identifier", { ...observation, subject: { identifier: { value: SECRET } } }],
    ["contained", { ...observation, contained: [{ resourceType: "Patient", maritalStatus: { text: SECRET } }] }],
    [
      "contained in a Bundle's entry",
      {
        resourceType: "Bundle",
        type: "collection",
        entry: [
          {
            resource: {
              ...observation,
              contained: [{ resourceType: "Patient", text: { status: "generated", div: SECRET } }],
            },
          },
        ],
      },
    ],
    [
      "a Bundle in a Bundle",
      {
        resourceType: "Bundle",
        type: "collection",
        entry: [
          {
            resource: {
              resourceType: "Bundle",
              type: "collection",
              entry: [{ resource: { ...observation, note: [{ text: SECRET }] } }],
            },
          },
        ],
      },
    ],
    [
      "a parameter's resource",
      {
        resourceType: "Parameters",
        parameter: [{ name: "a", part: [{ name: "b", resource: { ...observation, note: [{ text: SECRET }] } }] }],
      },
    ],
    [
      "an outcome in a batch answer",
      {
        resourceType: "Bundle",
        type: "batch-response",
        entry: [
          {
            response: {
              status: "400",
              outcome: {
                resourceType: "OperationOutcome",
                issue: [{ severity: "error", code: "invalid", diagnostics: SECRET }],
              },
            },
          },
        ],
      },
    ],
    ["an extension", { ...observation, extension: [{ url: "http://x.example", valueString: SECRET }] }],
    [
      "an extension in an extension",
      { ...observation, extension: [{ url: "http://x.example", extension: [{ url: "y", valueString: SECRET }] }] },
    ],
    [
      "an extension of a primitive",
      { ...observation, _status: { extension: [{ url: "http://x.example", valueString: SECRET }] } },
    ],
    [
      "an extension of a primitive in a list",
      {
        resourceType: "Patient",
        name: [{ given: ["a"], _given: [{ extension: [{ url: "u", valueString: SECRET }] }] }],
      },
    ],
    ["a modifierExtension", { ...observation, modifierExtension: [{ url: "http://x.example", valueString: SECRET }] }],
    ["Attachment.data", { resourceType: "DocumentReference", content: [{ attachment: { data: SECRET } }] }],
    ["Attachment.url", { resourceType: "DocumentReference", content: [{ attachment: { url: SECRET } }] }],
    ["Attachment.title", { resourceType: "DocumentReference", content: [{ attachment: { title: SECRET } }] }],
    ["Binary.data", { resourceType: "Binary", contentType: "text/plain", data: SECRET }],
    [
      "diagnostics",
      {
        resourceType: "OperationOutcome",
        issue: [{ severity: "error", code: "invalid", diagnostics: SECRET, details: { text: SECRET } }],
      },
    ],
    ["an array of arrays", { ...observation, note: [[[{ text: SECRET }]]] }],
    ["an object where text belongs", { ...observation, status: { value: SECRET } }],
    ["text where an object belongs", { ...observation, subject: SECRET }],
    ["an array of arrays of text", { resourceType: "Patient", name: [{ given: [[SECRET]] }] }],
    ["an element R4 does not have", { ...observation, internalNotes: SECRET }],
    [
      "a prototype",
      JSON.parse(`{"resourceType":"Observation","status":"final","__proto__":{"note":"${SECRET}"}}`) as Json,
    ],
    ["an `_element` of no primitive", { ...observation, _code: { text: SECRET } }],
    [
      "a condition in a history",
      {
        resourceType: "Bundle",
        type: "history",
        entry: [
          { request: { method: "PUT", url: `Patient?identifier=${SECRET}`, ifNoneExist: `identifier=${SECRET}` } },
        ],
      },
    ],
    [
      "a link that searches by what is hidden",
      {
        resourceType: "Bundle",
        type: "searchset",
        link: [{ relation: "self", url: `https://f.example/Patient?_text=${SECRET}` }],
      },
    ],
    [
      "a link that searches by a masked identifier",
      {
        resourceType: "Bundle",
        type: "searchset",
        link: [{ relation: "next", url: `https://f.example/Patient?identifier=${SECRET}&_count=2` }],
      },
    ],
  ])("%s", (_name, resource) => expect(leaves(resource)).not.toContain(SECRET));

  it("a modifierExtension stays as a warning (R4 extensibility)", () => {
    const after = redact({
      ...observation,
      modifierExtension: [{ url: "http://x.example", valueString: SECRET }],
    }) as Record<string, Json>;
    expect(after["modifierExtension"]).toEqual([{ url: "http://x.example", ...MASKED }]);
    expect(redact(after)).toBe(after);
  });

  it("an extension that a rule names stays whole, others beside it do not", () => {
    const race = { url: "http://race.example", extension: [{ url: "text", valueString: "kept" }] };
    const after = redacted(
      { resourceType: "Patient", extension: [race, { url: "http://x.example", valueString: SECRET }] },
      [
        { path: "Element.extension", action: "remove" },
        { path: "Patient.extension('http://race.example')", action: "keep" },
      ],
    ) as Record<string, Json>;
    expect(after["extension"]).toEqual([race]);
  });

  it("ordinary paging links stay", () => {
    const url = "https://f.example/Observation?code=1&_getpages=abc&_getpagesoffset=20";
    const bundle = { resourceType: "Bundle", type: "searchset", total: 7, link: [{ relation: "next", url }] };
    expect(redact(bundle)).toBe(bundle);
  });

  it.each<[string, Json]>([
    ["no resource", { name: "x" }],
    ["a type R4 does not have", { resourceType: "Secret" }],
    ["a list", [observation]],
    ["text", "x"],
    ["an entry that is no resource", { resourceType: "Bundle", type: "collection", entry: [{ resource: { a: 1 } }] }],
  ])("S12: %s cannot be judged, so it is thrown out", (_name, body) =>
    expect(() => redact(body)).toThrow("not a resource of R4"),
  );
});
