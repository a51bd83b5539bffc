import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { createRedactor, type RedactionRule } from "../src/index.ts";
import { redacted, SPY_CIPHER, spied } from "./support/values.ts";

const MASKED = {
  extension: [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" }],
};
const patient = {
  resourceType: "Patient",
  id: "p1",
  name: [{ family: "Chalmers", given: ["Peter", "James"], text: "Peter James Chalmers" }],
  birthDate: "1974-12-25",
  _birthDate: { extension: [{ url: "http://example.org/birthTime", valueDateTime: "1974-12-25T14:35:45-05:00" }] },
  identifier: [{ system: "http://hospital.example/mrn", value: "MRN-0012345678" }],
  address: [{ line: ["534 Erewhon St"], city: "PleasantVille", state: "VT", postalCode: "05401", country: "US" }],
  generalPractitioner: [{ reference: "Practitioner/7" }],
} satisfies Json;

/** Without what is said about it in `meta`. */
function content(rules: readonly RedactionRule[], resource: Json = patient, options = {}): Record<string, Json> {
  const { meta: _meta, ...rest } = redacted(resource, rules, options) as Record<string, Json>;
  return rest;
}
const labels = (rules: readonly RedactionRule[], resource: Json = patient): readonly unknown[] => {
  const { meta } = redacted(resource, rules) as { meta?: { security?: { code: string }[]; tag?: { code: string }[] } };
  return [meta?.security?.map(({ code }) => code) ?? [], meta?.tag?.map(({ code }) => code) ?? []];
};

describe("remove", () => {
  it("takes the element, and the `_element` with it", () => {
    const after = content([{ path: "Patient.birthDate", action: "remove" }]);
    expect(after).not.toHaveProperty("birthDate");
    expect(after).not.toHaveProperty("_birthDate");
    expect(after).toHaveProperty("name");
  });

  it("takes a datatype wherever it stands", () => {
    expect(content([{ path: "HumanName", action: "remove" }])).not.toHaveProperty("name");
    expect(JSON.stringify(content([{ path: "HumanName.text", action: "remove" }]))).not.toContain("Peter James");
  });

  it("leaves what a longer path keeps, and what it coarsens", () => {
    const { address } = content([
      { path: "Address", action: "remove" },
      { path: "Address.state", action: "keep" },
      { path: "Address.postalCode", action: "generalise" },
    ]);
    expect(address).toEqual([{ state: "VT", postalCode: "054" }]);
  });

  it("takes everything where only the datatype, not the path, keeps something", () => {
    const rules: RedactionRule[] = [
      { path: "Patient.address", action: "remove" },
      { path: "Address.state", action: "keep" },
    ];
    expect(content(rules)).not.toHaveProperty("address");
  });

  it("says that a mandatory element was there", () => {
    const observation = { resourceType: "Observation", status: "final", code: { text: "x" }, valueString: "y" };
    const after = content(
      [
        { path: "Observation.status", action: "remove" },
        { path: "Observation.code", action: "remove" },
      ],
      observation,
    );
    expect(after).toEqual({ resourceType: "Observation", _status: MASKED, code: MASKED, valueString: "y" });
  });

  it("takes every type of a choice, or one", () => {
    const observation = { resourceType: "Observation", status: "final", code: { text: "x" }, valueString: "y" };
    expect(content([{ path: "Observation.value[x]", action: "remove" }], observation)).not.toHaveProperty(
      "valueString",
    );
    expect(content([{ path: "Observation.valueString", action: "remove" }], observation)).not.toHaveProperty(
      "valueString",
    );
    expect(content([{ path: "Observation.valueQuantity", action: "remove" }], observation)).toHaveProperty(
      "valueString",
    );
  });

  it("goes into recursive elements", () => {
    const answers = {
      resourceType: "QuestionnaireResponse",
      status: "completed",
      item: [{ linkId: "1", item: [{ linkId: "2", text: "why" }] }],
    };
    expect(
      JSON.stringify(content([{ path: "QuestionnaireResponse.item.text", action: "remove" }], answers)),
    ).not.toContain("why");
  });
});

describe("only", () => {
  const { redact } = createRedactor({ profile: { name: "names", only: ["Patient.name"] } });

  it("leaves the elements named, under the rules every profile has", () => {
    const { meta: _meta, ...rest } = redact({ ...patient, text: { status: "generated", div: "<div/>" } }) as Record<
      string,
      Json
    >;
    expect(rest).toEqual({ resourceType: "Patient", id: "p1", name: patient.name });
  });

  it("drops resources of other types, in a Bundle with their entries and the total", () => {
    expect(redact({ resourceType: "Basic", code: { text: "x" } })).toBeUndefined();
    const bundle = {
      resourceType: "Bundle",
      type: "searchset",
      total: 2,
      entry: [{ resource: patient }, { resource: { resourceType: "Basic" } }],
    };
    const after = redact(bundle) as { entry: unknown[] };
    expect(after.entry).toHaveLength(1);
    expect(after).not.toHaveProperty("total");
  });

  it("looks into Parameters, and lets no bare value through", () => {
    const after = redact({
      resourceType: "Parameters",
      parameter: [
        { name: "match", resource: patient },
        { name: "ssn", valueString: "123-45-6789" },
      ],
    });
    expect(JSON.stringify(after)).toContain("Chalmers");
    expect(JSON.stringify(after)).not.toMatch(/123-45|1974/);
  });
});

describe("mask", () => {
  it("hides the value and says so", () => {
    const after = content([{ path: "Patient.birthDate", action: "mask" }]);
    expect(after).not.toHaveProperty("birthDate");
    expect(after["_birthDate"]).toEqual(MASKED);
  });

  it("keeps primitives and their `_elements` side by side", () => {
    const name = [{ given: ["Peter", null, "James"], _given: [null, { id: "a" }, null] }];
    const after = content([{ path: "HumanName.given", action: "mask" }], { ...patient, name });
    expect(after["name"]).toEqual([{ _given: [MASKED, MASKED, MASKED] }]);
  });

  it("shows the end of a long value and nothing of a short one", () => {
    const rules: RedactionRule[] = [{ path: "Identifier.value", action: { mask: { last: 4 } } }];
    expect(JSON.stringify(content(rules))).toContain('"****5678"');
    expect(JSON.stringify(content(rules, { ...patient, identifier: [{ value: "1234567" }] }))).not.toContain("4567");
  });
});

describe("generalise", () => {
  const now = () => Date.parse("2026-06-01");
  const dates = (birthDate: string): Json | undefined =>
    content([{ path: "date", action: "generalise" }], { resourceType: "Patient", birthDate }, { now })["birthDate"];

  it.each([
    ["1974-12-25", "1974"],
    ["1974-12", "1974"],
    ["1974", "1974"],
    ["1937-01-01", "1937"],
    ["1936-01-01", undefined],
    ["about 1974", undefined],
  ])("date %s becomes %s (45 CFR 164.514(b)(2)(i)(C))", (before, after) => expect(dates(before)).toBe(after));

  it.each([
    ["05401", "054"],
    ["05401-1234", "054"],
    ["03601", "000"],
    ["69201", "000"],
    ["SW1A 1AA", undefined],
    ["054", "054"],
  ])("postal code %s becomes %s (164.514(b)(2)(i)(B))", (postalCode, coarse) => {
    const after = content([{ path: "Address.postalCode", action: "generalise" }], {
      resourceType: "Patient",
      address: [{ postalCode }],
    });
    expect(JSON.stringify(after["address"])).toContain(
      coarse === undefined ? '"_postalCode"' : `"postalCode":"${coarse}"`,
    );
    expect(JSON.stringify(after)).not.toContain("1AA");
  });

  it.each([
    [
      { value: 89, code: "a" },
      { value: 89, code: "a" },
    ],
    [
      { value: 94, unit: "years", code: "a" },
      { value: 90, comparator: ">=", unit: "years", system: "http://unitsofmeasure.org", code: "a" },
    ],
    [
      { value: 1100, code: "mo" },
      { value: 90, comparator: ">=", unit: "years", system: "http://unitsofmeasure.org", code: "a" },
    ],
    [{ value: 94, unit: "winters" }, MASKED],
  ])("age %j becomes %j", (onsetAge, coarse) => {
    const condition = { resourceType: "Condition", subject: { reference: "Patient/1" }, onsetAge };
    expect(content([{ path: "Age", action: "generalise" }], condition)["onsetAge"]).toEqual(coarse);
  });

  const OLD = { value: 90, comparator: ">=", unit: "years", system: "http://unitsofmeasure.org", code: "a" };
  it.each<[Record<string, Json>, Json]>([
    [{ value: 95, unit: "yr" }, OLD],
    [{ value: 95, unit: "Yrs" }, OLD],
    [{ value: 95, unit: "y" }, OLD],
    [{ value: 95, system: "http://unitsofmeasure.org", code: "a_j" }, OLD],
    [{ value: 1140, unit: "months" }, OLD],
    [{ value: 34700, system: "http://unitsofmeasure.org", code: "d" }, OLD],
    [{ value: 95, unit: "years of age" }, MASKED],
    [
      { value: 40, unit: "yr" },
      { value: 40, unit: "yr" },
    ],
    [
      { value: 10, comparator: ">", unit: "min", code: "min" },
      { value: 10, comparator: ">", unit: "min", code: "min" },
    ],
    [
      { value: 95, unit: "kg" },
      { value: 95, unit: "kg" },
    ],
  ])("S11: quantity %j becomes %j (164.514(b)(2)(i)(C))", (valueQuantity, coarse) => {
    const observation = { resourceType: "Observation", status: "final", code: { text: "x" }, valueQuantity };
    expect(content([{ path: "Quantity", action: "generalise" }], observation)["valueQuantity"]).toEqual(coarse);
  });

  it("drops what stood beside the value: a time of birth", () => {
    expect(JSON.stringify(content([{ path: "date", action: "generalise" }]))).not.toContain("14:35");
  });
});

describe("pseudonymise", () => {
  const rules: RedactionRule[] = [
    { path: "Resource.id", action: "pseudonymise" },
    { path: "Reference.reference", action: "pseudonymise" },
    { path: "Identifier.value", action: "pseudonymise" },
    { path: "Bundle.entry.fullUrl", action: "pseudonymise" },
  ];

  it("gives an id and a reference to it the same token, legal in an id", () => {
    const id = content(rules)["id"] as string;
    expect(id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
    const observation = {
      resourceType: "Observation",
      status: "final",
      code: {},
      subject: { reference: "https://fhir.example/Patient/p1/_history/2" },
    };
    expect(content(rules, observation)["subject"]).toEqual({
      reference: `https://fhir.example/Patient/${id}/_history/2`,
    });
  });

  it.each(["Patient?identifier=123", "https://elsewhere.example/p/1", "p1"])(
    "a reference it cannot read goes: %s",
    (reference) => {
      const observation = { resourceType: "Observation", status: "final", code: {}, subject: { reference } };
      expect(JSON.stringify(content(rules, observation))).not.toContain(reference);
    },
  );

  it("does it once", () => {
    const once = redacted(patient, rules) as Json;
    expect(redacted(once, rules)).toBe(once);
  });
});

describe("encrypt", () => {
  it("hands the value and its place to the cipher, and leaves the ciphertext only", () => {
    const rules: RedactionRule[] = [
      { path: "Patient.birthDate", action: "encrypt" },
      { path: "Address.line", action: "encrypt" },
      { path: "Patient.name", action: "encrypt" },
    ];
    const after = content(rules, patient, { cipher: SPY_CIPHER });
    expect(after).not.toHaveProperty("birthDate");
    expect(spied(after["_birthDate"])).toEqual([
      "1974-12-25",
      { resourceType: "Patient", id: "p1", path: "Patient.birthDate" },
    ]);
    expect(spied(after["name"])).toEqual([
      patient.name[0],
      { resourceType: "Patient", id: "p1", path: "Patient.name" },
    ]);
    expect(spied((after["address"] as Json[])[0])).toEqual([
      "534 Erewhon St",
      { resourceType: "Patient", id: "p1", path: "Patient.address.line" },
    ]);
  });

  it("binds a contained resource to its container, and to the id that leaves", () => {
    const report = { resourceType: "DiagnosticReport", id: "r", status: "final", code: {}, contained: [patient] };
    const rules: RedactionRule[] = [
      { path: "Patient.birthDate", action: "encrypt" },
      { path: "DiagnosticReport.id", action: "pseudonymise" },
    ];
    const after = content(rules, report, { cipher: SPY_CIPHER });
    expect(spied(after["contained"])).toEqual([
      "1974-12-25",
      { resourceType: "DiagnosticReport", id: after["id"], path: "DiagnosticReport.contained.birthDate" },
    ]);
  });
});

it("replace: a reference by another", () => {
  const by = { display: "a practitioner" };
  expect(content([{ path: "Patient.generalPractitioner", action: { replace: by } }])["generalPractitioner"]).toEqual([
    by,
  ]);
});

describe("labels (standards 5.4)", () => {
  it.each<[RedactionRule, readonly unknown[]]>([
    [{ path: "Patient.name", action: "remove" }, [["REDACTED"], ["SUBSETTED"]]],
    [{ path: "Patient.name", action: "mask" }, [["MASKED"], ["SUBSETTED"]]],
    [{ path: "Identifier.value", action: "pseudonymise" }, [["PSEUDED"], []]],
    [{ path: "date", action: "generalise" }, [["ABSTRED"], []]],
    [{ path: "Patient.photo", action: "remove" }, [[], []]],
  ])("%j", (rule, expected) => expect(labels([rule])).toEqual(expected));

  it("beside those that were there, once", () => {
    const marked = { ...patient, meta: { security: [{ system: "s", code: "R" }] } };
    expect(labels([{ path: "Patient.name", action: "remove" }], marked)).toEqual([["R", "REDACTED"], ["SUBSETTED"]]);
  });
});
