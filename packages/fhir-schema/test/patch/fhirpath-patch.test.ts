import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFhirPathPatch } from "../../src/patch/fhirpath-patch.ts";
import { isPatchPath } from "../../src/patch/path.ts";
import { isMarked, marked } from "../support/marked.ts";

type Parts = Readonly<Record<string, unknown>>;

const patch = (...parts: Parts[]) => ({
  resourceType: "Parameters",
  parameter: [{ name: "operation", part: parts }],
});
const type = (valueCode: string) => ({ name: "type", valueCode });
const path = (valueString: string) => ({ name: "path", valueString });
const name = (valueString: string) => ({ name: "name", valueString });
const index = (valueInteger: unknown) => ({ name: "index", valueInteger });
const source = { name: "source", valueInteger: 1 };
const destination = { name: "destination", valueInteger: 0 };
const value = { name: "value", valueString: "x" };

describe("FHIRPath Patch", () => {
  it.each<[string, object]>([
    ["add", patch(type("add"), path("Patient"), name("birthDate"), { name: "value", valueDate: "1930-01-01" })],
    ["add of a nested element", patch(type("add"), path("Patient"), name("contact"), { name: "value", part: [] })],
    ["insert", patch(type("insert"), path("Patient.identifier"), index(1), value)],
    ["delete", patch(type("delete"), path("Patient.maritalStatus"))],
    ["replace", patch(type("replace"), path("Patient.name[0].given[1]"), value)],
    ["replace by filter", patch(type("replace"), path("Patient.telecom.where(system = 'phone').value"), value)],
    ["move", patch(type("move"), path("Patient.identifier"), source, destination)],
  ])("%s passes", (_what, body) => expect(checkFhirPathPatch(body, "Patient")).toEqual([]));

  it.each<[string, unknown, string]>([
    ["another resource", { resourceType: "Patient" }, "structure"],
    ["no parameter", { resourceType: "Parameters" }, "structure"],
    ["an empty list", { resourceType: "Parameters", parameter: [] }, "structure"],
    ["a parameter of another name", { resourceType: "Parameters", parameter: [{ name: "op", part: [] }] }, "structure"],
    ["an operation without parts", { resourceType: "Parameters", parameter: [{ name: "operation" }] }, "structure"],
    ["no type", patch(path("Patient.birthDate")), "value"],
    ["a type nobody has", patch(type("remove"), path("Patient.birthDate")), "value"],
    ["a type as text", patch({ name: "type", valueString: "delete" }, path("Patient.birthDate")), "value"],
    ["delete without path", patch(type("delete")), "required"],
    ["add without name", patch(type("add"), path("Patient"), value), "required"],
    ["replace without value", patch(type("replace"), path("Patient.birthDate")), "required"],
    ["insert without index", patch(type("insert"), path("Patient.identifier"), value), "required"],
    ["a part of another operation", patch(type("delete"), path("Patient.birthDate"), value), "structure"],
    ["a part twice", patch(type("delete"), path("Patient.birthDate"), path("Patient.gender")), "structure"],
    ["a negative index", patch(type("insert"), path("Patient.identifier"), index(-1), value), "value"],
    ["an index in text", patch(type("insert"), path("Patient.identifier"), index("1"), value), "value"],
    ["a value without one", patch(type("replace"), path("Patient.gender"), { name: "value" }), "value"],
    ["a path of another type", patch(type("delete"), path("Group.name")), "value"],
    ["the id", patch(type("replace"), path("Patient.id"), value), "business-rule"],
    ["the id, added", patch(type("add"), path("Patient"), name("id"), value), "business-rule"],
  ])("refuses %s", (_what, body, issue) => {
    expect(checkFhirPathPatch(body, "Patient").map((one) => one.issue)).toEqual([issue]);
  });

  it("refuses more operations than it may", () => {
    const operation = patch(type("delete"), path("Patient.birthDate")).parameter[0];
    const many = { resourceType: "Parameters", parameter: Array.from({ length: 1001 }, () => operation) };
    expect(checkFhirPathPatch(many).map((one) => one.issue)).toEqual(["too-costly"]);
  });

  it("never throws, and tells nothing of what it was given (S15)", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (parts) => {
        const secret = marked(parts) as Parts[];
        expect(isMarked(checkFhirPathPatch(patch(...secret), "Patient"))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe("paths", () => {
  it.each([
    "Patient",
    "Patient.name",
    "Patient.name[0].given[1]",
    "Patient.name.where(use = 'official' and period.empty()).given.first()",
    "Patient.extension('http://example.org/a(b').value.ofType(string)",
    "Patient.telecom.where(value = 'it\\'s')",
    "Patient.name.where (use = 'official' and (period.empty() or given.exists()))",
  ])("%s passes", (text) => expect(isPatchPath(text, "Patient")).toBe(true));

  it.each([
    "",
    "patient.name",
    "name",
    ".name",
    "Patient.",
    "Patient..name",
    "Group.name",
    "Patient.name[0",
    "Patient.name]0[",
    "Patient.name.where(use = 'official'",
    "Patient.name.where(use = 'official)",
    "Patient.name.matches('(a+)+')",
    "Patient.name.matches ('(a+)+')",
    "Patient.name.matches2('x')",
    "Patient.name._matches('x')",
    "Patient.name.resolve()",
    "Patient.name.repeat(given)",
    "Patient.name | Patient.contact",
    "Patient.name.where(%resource.active)",
    "Patient.name; drop",
    "Patient.name\n",
    "Patient(name)",
    `Patient${".a".repeat(600)}`,
  ])("%j is refused", (text) => expect(isPatchPath(text, "Patient")).toBe(false));
});
