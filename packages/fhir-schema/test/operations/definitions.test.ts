import { describe, expect, it } from "vitest";
import { compileOperations } from "../../src/index.ts";
import { checkOperationBody, checkOperationQuery } from "../../src/operations/check.ts";

const parameter = (name: string, more: object = {}) => ({ name, use: "in", min: 0, max: "1", type: "string", ...more });
const MEMBER_MATCH = {
  resourceType: "OperationDefinition",
  code: "member-match",
  system: false,
  type: true,
  instance: false,
  affectsState: true,
  resource: ["Patient"],
  parameter: [
    parameter("MemberPatient", { min: 1, type: "Patient" }),
    parameter("OldCoverage", { min: 1, type: "Coverage" }),
    parameter("note", { max: "*" }),
    parameter("whatever", { type: "Any" }),
    parameter("period", {
      type: undefined,
      part: [
        parameter("from", { type: "date", min: 1 }),
        parameter("reason", { type: undefined, part: [parameter("why")] }),
      ],
    }),
    parameter("MemberIdentifier", { use: "out", min: 1 }),
  ],
};
/** The same operation on two types, once narrower than R4 has it. */
const EVERYTHING = {
  resourceType: "OperationDefinition",
  code: "everything",
  system: false,
  type: false,
  instance: true,
  resource: ["Patient"],
  parameter: [parameter("_count", { type: "integer", min: 1 })],
};
const definitions = compileOperations([MEMBER_MATCH, EVERYTHING]);
const extraParameters: ReadonlySet<string> = new Set();
const told = (issues: readonly { issue: string; expression?: string }[]) =>
  issues.map(({ issue, expression }) => `${issue} ${expression ?? ""}`);
const inUrl = (name: string, type: string | undefined, query: string, method = "POST") =>
  told(checkOperationQuery({ name, type, extraParameters, definitions }, method, [...new URLSearchParams(query)]));
const inBody = (...given: object[]) =>
  told(
    checkOperationBody(
      { name: "member-match", type: "Patient", extraParameters, definitions },
      { resourceType: "Parameters", parameter: given },
    ),
  );

describe("inputs by the OperationDefinitions given", () => {
  const patient = { name: "MemberPatient", resource: { resourceType: "Patient" } };
  const coverage = { name: "OldCoverage", resource: { resourceType: "Coverage" } };

  it("are judged by name, type and number", () => {
    const note = { name: "note", valueString: "x" };
    const any = [{ valueCode: "x" }, { resource: {} }].map((value) => ({ name: "whatever", ...value }));
    for (const whatever of any) expect(inBody(patient, coverage, note, note, whatever)).toEqual([]);
    expect(inBody(patient)).toEqual(["required OldCoverage"]);
    expect(inBody(patient, patient, coverage)).toEqual(["structure MemberPatient"]);
    expect(inBody(patient, { ...coverage, resource: { resourceType: "Group" } })).toEqual([
      "structure Parameters.parameter[1]",
    ]);
    expect(inBody(patient, coverage, { name: "whatever" })).toEqual(["structure Parameters.parameter[2]"]);
    expect(inBody(patient, coverage, { name: "MemberIdentifier", valueString: "x" })).toEqual([
      "not-supported Parameters.parameter[2].name",
    ]);
  });

  it("are judged part by part, in parts of parts too", () => {
    const period = (...part: object[]) => inBody(patient, coverage, { name: "period", part });
    const from = { name: "from", valueDate: "2020" };
    const at = "Parameters.parameter[2].part";
    expect(period(from, { name: "reason", part: [{ name: "why", valueString: "x" }] })).toEqual([]);
    expect(period({ name: "why", valueString: "x" })).toEqual([`not-supported ${at}[0].name`, `required ${at}`]);
    expect(period(from, from)).toEqual([`structure ${at}`]);
    expect(period({ name: "from", valueDateTime: "2020" })).toEqual([`structure ${at}[0]`]);
    expect(period(from, { name: "reason", part: [{ name: "x", valueCode: "y" }] })).toEqual([
      `not-supported ${at}[1].part[0].name`,
    ]);
    expect(inBody(patient, coverage, { name: "period", valueString: "x" })).toEqual([
      "structure Parameters.parameter[2]",
    ]);
  });

  it("go before R4's own, which stay where none is given", () => {
    expect(inUrl("everything", "Patient", "_count=10", "GET")).toEqual([]);
    expect(inUrl("everything", "Patient", "start=2020", "GET")).toEqual(["not-supported ", "required _count"]);
    expect(inUrl("expand", "ValueSet", "url=http://example.org/v&begin=1", "GET")).toEqual(["not-supported "]);
    expect(inUrl("of-their-own", "Patient", "a=b")).toEqual([]);
  });

  it("say where and by which method the operation is called", () => {
    expect(inUrl("member-match", "Patient", "note=x")).toEqual([]);
    expect(inUrl("member-match", "Patient", "note=x", "GET")).toContain("not-supported ");
    for (const type of ["Group", undefined]) expect(inUrl("member-match", type, "")).toEqual(["not-supported "]);
    const onAll = compileOperations([{ ...MEMBER_MATCH, resource: ["Resource"], system: true, affectsState: false }]);
    for (const type of ["Group", undefined]) {
      const call = { name: "member-match", type, extraParameters, definitions: onAll };
      expect(checkOperationQuery(call, "POST", [])).toEqual([]);
    }
  });
});

describe("compileOperations() refuses", () => {
  it.each<[string, object, string]>([
    ["another resource", { resourceType: "StructureDefinition" }, "operationDefinitions[0] not-a-definition"],
    ["a named query", { ...EVERYTHING, kind: "query" }, "operationDefinitions[0] not-a-definition"],
    ["no code", { ...EVERYTHING, code: "$everything" }, "operationDefinitions[0] not-a-definition"],
    ["a type that is none", { ...EVERYTHING, resource: ["Patent"] }, "operationDefinitions[0].resource unknown-type"],
    ["a type that is missing", { ...EVERYTHING, resource: [] }, "operationDefinitions[0].resource unknown-type"],
    ["an operation of nowhere", { ...EVERYTHING, instance: false }, "operationDefinitions[0] nowhere"],
    ["parameters that are no list", { ...EVERYTHING, parameter: {} }, "operationDefinitions[0].parameter not-a-list"],
    [
      "an input of nothing",
      { ...EVERYTHING, parameter: [parameter("a", { type: undefined })] },
      "operationDefinitions[0].parameter[0].part not-a-list",
    ],
    ...[{ name: "" }, { use: "both" }, { min: -1 }, { min: 2 }, { max: "many" }, { max: 1 }, { type: 1 }].map(
      (wrong): [string, object, string] => [
        `a parameter with ${JSON.stringify(wrong)}`,
        { ...EVERYTHING, parameter: [parameter("a", wrong)] },
        "operationDefinitions[0].parameter[0] not-a-parameter",
      ],
    ),
  ])("%s", (_what, definition, expected) => {
    const issues: unknown[] = [];
    try {
      compileOperations([definition]);
    } catch (error) {
      issues.push(...(error as { issues: { path: string; code: string }[] }).issues.map((i) => `${i.path} ${i.code}`));
    }
    expect(issues).toEqual([expected]);
  });

  it("two of one operation and type", () => {
    expect(() => compileOperations([EVERYTHING, EVERYTHING])).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ code: "operation-repeated" })] }),
    );
  });
});
