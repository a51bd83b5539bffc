import { describe, expect, it } from "vitest";
import { prepare, validateResource } from "../../src/resources/validate.ts";
import { ALLERGY, BUNDLE, OBSERVATION, PARAMETERS, PATIENT, SAMPLES } from "./samples.ts";

/** `code expression` of each finding. */
const told = (resource: unknown, limits?: Parameters<typeof validateResource>[1]) =>
  validateResource(resource, limits).map(({ issue, expression }) => `${issue} ${expression}`);

describe("validateResource", () => {
  it.each(SAMPLES)("finds nothing wrong with a $resourceType that is right", (resource) => {
    expect(validateResource(resource, { type: resource.resourceType })).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ["null", null, "structure Resource"],
    ["an array", [PATIENT], "structure Resource"],
    ["text", "Patient", "structure Resource"],
    ["an object without a type", {}, "required Resource"],
    ["a type that is not R4", { resourceType: "Foo" }, "structure Resource"],
    ["a type in another case", { resourceType: "patient" }, "structure Resource"],
    ["an abstract type", { resourceType: "DomainResource" }, "structure Resource"],
    ["a datatype", { resourceType: "Quantity" }, "structure Resource"],
    ["a type that is no text", { resourceType: ["Patient"] }, "structure Resource"],
    ["a type named like a property of every object", { resourceType: "constructor" }, "structure Resource"],
    ["an unknown element", { ...PATIENT, nickname: "x" }, "structure Patient"],
    ["an element in another case", { ...PATIENT, Gender: "male" }, "structure Patient"],
    [
      "an unknown element further in",
      { ...PATIENT, name: [{ family: "x", middle: "y" }] },
      "structure Patient.name[0]",
    ],
    ["a comment", { ...PATIENT, fhir_comments: ["x"] }, "structure Patient"],
    ["__proto__", JSON.parse('{"resourceType":"Patient","__proto__":{"a":1}}'), "structure Patient"],
    ["a property of every object", { ...PATIENT, toString: "x" }, "structure Patient"],
    ["a required element left out", { resourceType: "Observation", status: "final" }, "required Observation.code"],
    [
      "a required primitive left out",
      { resourceType: "Observation", code: { text: "x" } },
      "required Observation.status",
    ],
    [
      "a required choice left out",
      without(medicationRequest(), "medicationReference"),
      "required MedicationRequest.medication",
    ],
    ["one value where many may stand", { ...PATIENT, name: { family: "x" } }, "structure Patient.name"],
    ["many values where one may stand", { ...PATIENT, birthDate: ["2000"] }, "structure Patient.birthDate"],
    ["text for an object", { ...OBSERVATION, code: "x" }, "structure Observation.code"],
    ["text for a number", { ...OBSERVATION, valueQuantity: { value: "37" } }, "structure Observation.value.value"],
    ["a number for text", { ...without(OBSERVATION, "valueQuantity"), valueString: 1 }, "structure Observation.value"],
    ["an empty object", { ...OBSERVATION, code: {} }, "structure Observation.code"],
    ["an empty array", { ...OBSERVATION, component: [] }, "structure Observation.component"],
    ["an empty text", { ...PATIENT, name: [{ family: "" }] }, "value Patient.name[0].family"],
    ["null for an element", { ...PATIENT, active: null }, "structure Patient.active"],
    ["null in an array of objects", { ...PATIENT, contact: [null] }, "structure Patient.contact[0]"],
    [
      "null for a primitive without extensions",
      { ...PATIENT, name: [{ given: ["a", null] }] },
      "structure Patient.name[0].given",
    ],
    [
      "null on both sides",
      { ...PATIENT, name: [{ given: [null], _given: [null] }] },
      "structure Patient.name[0].given",
    ],
    [
      "extensions of another length",
      { ...PATIENT, name: [{ given: ["a"], _given: [{ id: "b" }, { id: "c" }] }] },
      "structure Patient.name[0].given",
    ],
    ["extensions of nothing", { ...PATIENT, name: [{ _given: [null] }] }, "structure Patient.name[0].given"],
    ["an _element that is no element", { ...PATIENT, _active: true }, "structure Patient.active"],
    ["an _element of an object", { ...PATIENT, _name: [{ id: "x" }] }, "structure Patient"],
    ["two types of a choice", { ...OBSERVATION, valueString: "x" }, "structure Observation.value"],
    [
      "two types of a choice, one by extension",
      { ...OBSERVATION, _valueString: { id: "x" } },
      "structure Observation.value",
    ],
    ["a type the choice does not have", { ...OBSERVATION, valueAddress: { city: "x" } }, "structure Observation"],
    ["a code outside its closed list", { ...PATIENT, gender: "F" }, "code-invalid Patient.gender"],
    [
      "a concept outside its closed list",
      { ...ALLERGY, clinicalStatus: { coding: [{ system: "http://example.org", code: "active" }] } },
      "code-invalid AllergyIntolerance.clinicalStatus",
    ],
    [
      "a concept in words where codes are closed",
      { ...ALLERGY, clinicalStatus: { text: "active" } },
      "code-invalid AllergyIntolerance.clinicalStatus",
    ],
    ["a day that does not exist", { ...PATIENT, birthDate: "1987-02-30" }, "value Patient.birthDate"],
    [
      "a reference that is none",
      { ...OBSERVATION, subject: { reference: "patient/1" } },
      "value Observation.subject.reference",
    ],
    [
      "a script in the narrative",
      { ...PATIENT, text: { status: "generated", div: "<div><script>x</script></div>" } },
      "value Patient.text.div",
    ],
    ["an id of another form", { ...PATIENT, id: "a/b" }, "value Patient.id"],
    [
      "a contained resource in a contained one",
      { ...PATIENT, contained: [{ ...PATIENT, id: "x" }] },
      "invariant Patient.contained[0]",
    ],
    ["a contained resource without a type", { ...PATIENT, contained: [{ id: "x" }] }, "required Patient.contained[0]"],
    [
      "a bad contained resource",
      { ...PATIENT, contained: [{ resourceType: "Organization", x: 1 }] },
      "structure Patient.contained[0]",
    ],
    [
      "a bad entry",
      { ...BUNDLE, entry: [{ resource: { ...PATIENT, active: "yes" } }] },
      "structure Bundle.entry[0].resource.active",
    ],
    [
      "a bad parameter",
      { ...PARAMETERS, parameter: [{ name: "a", part: [{ name: "b", resource: { resourceType: "Foo" } }] }] },
      "structure Parameters.parameter[0].part[0].resource",
    ],
    [
      "an element's id that is no text",
      { ...OBSERVATION, code: { id: 1, text: "x" } },
      "structure Observation.code.id",
    ],
    [
      "an extension without a url",
      { ...PATIENT, extension: [{ valueString: "x" }] },
      "required Patient.extension[0].url",
    ],
    [
      "an extension whose url is an extension",
      { ...PATIENT, extension: [{ _url: { id: "x" }, valueString: "y" }] },
      "structure Patient.extension[0]",
    ],
  ])("refuses %s", (_, resource, finding) => {
    expect(told(resource)).toEqual([finding]);
  });

  it("accepts a required primitive given by its extensions alone", () => {
    const extension = [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "unknown" }];
    expect(told({ ...without(OBSERVATION, "status"), _status: { extension } })).toEqual([]);
  });

  it("compares with the type and the id of the URL", () => {
    expect(told(PATIENT, { type: "Patient", id: "p-1" })).toEqual([]);
    expect(told(PATIENT, { type: "Observation" })).toEqual(["invalid Patient"]);
    expect(told(PATIENT, { id: "p-2" })).toEqual(["invalid Patient.id"]);
    expect(told(without(PATIENT, "id"), { id: "p-1" })).toEqual(["required Patient.id"]);
  });

  it("goes on after a fault, and stops at the number of issues asked for", () => {
    const resource = { ...PATIENT, birthDate: "x", name: [{ a: 1 }, { b: 1 }], contact: [{ gender: "x" }] };
    const all = ["structure Patient.name[0]", "structure Patient.name[1]", "value Patient.birthDate"];
    expect(told(resource).toSorted()).toEqual(all);
    expect(told(resource, { maxIssues: 1 })).toHaveLength(1);
    expect(told({ ...PATIENT, name: Array.from({ length: 1000 }, () => ({ a: 1 })) })).toHaveLength(20);
  });

  it("tells a fault of every bad entry of a Bundle", () => {
    const entry = [{ resource: { resourceType: "Observation" } }, BUNDLE.entry[0], { resource: { resourceType: "X" } }];
    expect(told({ ...BUNDLE, entry })).toEqual([
      "required Bundle.entry[0].resource.status",
      "structure Bundle.entry[2].resource",
    ]);
  });

  it("repeats nothing of the resource (S15)", () => {
    const secret = "Wilhelmina-1961";
    const hostile = {
      ...PATIENT,
      [secret]: secret,
      name: [{ [secret]: secret }],
      gender: secret,
      id: `${secret}/`,
      birthDate: secret,
    };
    const issues = [hostile, { resourceType: secret }, { ...PATIENT, contained: [{ resourceType: secret }] }].flatMap(
      (resource) => validateResource(resource, { type: secret, id: secret }),
    );
    expect(issues.length).toBeGreaterThan(5);
    expect(JSON.stringify(issues)).not.toContain(secret);
  });
});

describe("limits (S9, S10)", () => {
  const nested = (depth: number): object =>
    depth === 0
      ? { url: "http://example.org/e", valueBoolean: true }
      : { url: "http://example.org/e", extension: [nested(depth - 1)] };

  it("bounds how deeply elements nest", () => {
    expect(told({ ...PATIENT, extension: [nested(10)] })).toEqual([]);
    const [issue, ...others] = validateResource({ ...PATIENT, extension: [nested(100)] });
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ issue: "structure", detail: "Elements are nested more deeply than is accepted." });
    expect(told({ resourceType: "Patient", extension: [nested(2)] }, { maxDepth: 3 })).toHaveLength(1);
    expect(told({ resourceType: "Patient", extension: [nested(1)] }, { maxDepth: 3 })).toEqual([]);
  });

  it("bounds resources within resources: Bundles in Bundles, Parameters in Parameters", () => {
    let bundle: object = { resourceType: "Bundle", type: "collection" };
    for (let depth = 0; depth < 1000; depth++)
      bundle = { resourceType: "Bundle", type: "collection", entry: [{ resource: bundle }] };
    expect(told(bundle)).toHaveLength(1);
  });

  it("bounds the length of arrays", () => {
    const given = Array.from({ length: 11 }, () => "x");
    expect(told({ ...PATIENT, name: [{ given }] }, { maxArrayLength: 11 })).toEqual([]);
    expect(told({ ...PATIENT, name: [{ given }] }, { maxArrayLength: 10 })).toEqual(["too-long Patient.name[0].given"]);
    expect(told({ ...PATIENT, name: given.map((family) => ({ family })) }, { maxArrayLength: 10 })).toEqual([
      "too-long Patient.name",
    ]);
  });

  it.each([0, -1, Number.NaN])("takes the default for a limit of %d, and never none", (limit) => {
    const limits = { maxIssues: limit, maxDepth: limit, maxArrayLength: limit };
    expect(told(PATIENT, limits)).toEqual([]);
    expect(told({ ...PATIENT, active: 1 }, limits)).toEqual(["structure Patient.active"]);
    expect(told({ ...PATIENT, extension: [nested(100)] }, limits)).toHaveLength(1);
  });

  it("answers an issue when an object throws as it is read", () => {
    const hostile = {
      resourceType: "Patient",
      get active(): boolean {
        throw new Error("Wilhelmina");
      },
    };
    expect(validateResource(hostile)).toEqual([
      { severity: "error", issue: "exception", detail: "The resource could not be checked.", expression: "Patient" },
    ]);
    const worse = new Proxy(
      {},
      {
        get: () => {
          throw new Error("x");
        },
      },
    );
    expect(told(worse)).toEqual(["exception Resource"]);
    expect(told(PATIENT)).toEqual([]);
  });
});

describe("prepare", () => {
  it("changes no verdict, and passes over what is no type", () => {
    prepare(["Patient", "Observation", "Foo", "__proto__"]);
    expect(told(PATIENT)).toEqual([]);
    expect(told({ ...PATIENT, active: 1 })).toEqual(["structure Patient.active"]);
  });
});

function medicationRequest() {
  return {
    resourceType: "MedicationRequest",
    status: "active",
    intent: "order",
    medicationReference: { reference: "Medication/1" },
    subject: { reference: "Patient/p-1" },
  };
}

function without<Value extends object, Key extends keyof Value>(value: Value, key: Key): Omit<Value, Key> {
  const { [key]: _, ...others } = value;
  return others;
}
