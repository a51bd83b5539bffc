import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOperationBody, checkOperationQuery } from "../../src/operations/check.ts";
import { isMarked, marked } from "../support/marked.ts";

const extraParameters: ReadonlySet<string> = new Set();
const queryOf = (url: string, method = "GET") => {
  const [path = "", query = ""] = url.split("?");
  const [type = "", name = ""] = path.split("/$");
  const pairs = [...new URLSearchParams(query)];
  return checkOperationQuery({ name, type: type === "" ? undefined : type, extraParameters }, method, pairs);
};
const bodyOf = (path: string, body: unknown) => {
  const [type = "", name = ""] = path.split("/$");
  return checkOperationBody({ name, type: type === "" ? undefined : type, extraParameters }, body);
};
const parameters = (...parameter: object[]) => ({ resourceType: "Parameters", parameter });

describe("inputs in the URL", () => {
  it.each([
    "Patient/$everything?start=2020-01-01&_type=Observation&_type=Condition&_count=10",
    "Patient/$everything?_since=2020-01-01T00:00:00Z&_format=json",
    "ValueSet/$expand?url=http://example.org/vs&filter=abc&activeOnly=true&count=10",
    "CodeSystem/$lookup?system=http://loinc.org&code=1963-8",
    "Observation/$lastn?max=3",
    "Patient/$meta",
    "/$export?_type=Patient&_since=anything",
    "Patient/$of-their-own?whatever=1",
  ])("%s passes", (url) => expect(queryOf(url)).toEqual([]));

  it.each<[string, string, string]>([
    ["an input nobody has", "Patient/$everything?begin=2020", "not-supported"],
    ["an input of another operation", "Patient/$everything?max=3", "not-supported"],
    ["a date that is none", "Patient/$everything?start=2020-02-30", "value"],
    ["a time where a date goes", "Patient/$everything?start=2020-01-01T00:00:00Z", "value"],
    ["an instant without zone", "Patient/$everything?_since=2020-01-01T00:00:00", "value"],
    ["a number that is none", "Patient/$everything?_count=ten", "value"],
    ["a number too large", "Patient/$everything?_count=2147483648", "value"],
    ["nothing where something counts", "Observation/$lastn?max=0", "value"],
    ["a boolean that is none", "ValueSet/$expand?url=http://x.org&activeOnly=1", "value"],
    ["an input twice", "Patient/$everything?start=2020&start=2021", "structure"],
    ["a missing input", "List/$find?patient=1", "required"],
    ["an input no URL can hold", "CodeSystem/$lookup?coding=x", "not-supported"],
    ["a GET that would change something", "Claim/$submit", "not-supported"],
  ])("refuses %s", (_what, url, issue) => expect(queryOf(url).map((one) => one.issue)).toContain(issue));

  it("a POST may leave to the body what it requires", () => {
    expect(queryOf("List/$find?patient=1", "POST")).toEqual([]);
    expect(queryOf("Claim/$submit", "POST")).toEqual([]);
  });

  it("a page over the cap is too much, in URL and body, of whatever operation", () => {
    for (const name of ["everything", "of-their-own"]) {
      const call = { name, type: "Patient", extraParameters, maxCount: 50 };
      const issues = [
        ...checkOperationQuery(call, "GET", [["_count", "51"]]),
        ...checkOperationBody(call, parameters({ name: "_count", valueInteger: 51 })),
      ];
      expect(issues.map((one) => one.issue)).toEqual(["too-costly", "too-costly"]);
      expect(checkOperationQuery(call, "GET", [["_count", "50"]])).toEqual([]);
      expect(checkOperationBody(call, parameters({ name: "_count", valueInteger: 50 }))).toEqual([]);
    }
  });

  it("an input that the route declares passes", () => {
    const call = { name: "everything", type: "Patient", extraParameters: new Set(["begin"]) };
    expect(checkOperationQuery(call, "GET", [["begin", "x"]])).toEqual([]);
  });
});

describe("inputs in the body", () => {
  it.each<[string, object]>([
    [
      "Patient/$match",
      parameters({ name: "resource", resource: { resourceType: "Patient" } }, { name: "count", valueInteger: 3 }),
    ],
    ["Patient/$match", { resourceType: "Patient" }],
    ["Claim/$submit", { resourceType: "Bundle" }],
    ["MessageHeader/$process-message", parameters({ name: "content", resource: { resourceType: "Bundle" } })],
    ["/$process-message", { resourceType: "Bundle" }],
    [
      "CodeSystem/$lookup",
      parameters(
        { name: "coding", valueCoding: { code: "a" } },
        { name: "property", valueCode: "x" },
        { name: "property", valueCode: "y" },
      ),
    ],
    [
      "CodeSystem/$find-matches",
      parameters({ name: "exact", valueBoolean: true }, { name: "property", part: [{ name: "code", valueCode: "x" }] }),
    ],
    ["Patient/$of-their-own", parameters({ name: "x", valueString: "y" })],
    ["Patient/$meta", { resourceType: "Parameters" }],
  ])("%s passes", (path, body) => expect(bodyOf(path, body)).toEqual([]));

  it.each<[string, string, unknown, string]>([
    ["no resource", "Patient/$match", [], "structure"],
    [
      "an input nobody has",
      "Patient/$match",
      parameters({ name: "resource", resource: {} }, { name: "x", valueString: "y" }),
      "not-supported",
    ],
    ["an input without name", "Patient/$everything", parameters({ valueString: "y" }), "not-supported"],
    ["another datatype", "CodeSystem/$lookup", parameters({ name: "code", valueString: "x" }), "structure"],
    [
      "a value where a resource goes",
      "Patient/$match",
      parameters({ name: "resource", valueString: "x" }),
      "structure",
    ],
    [
      "a resource of another type",
      "MessageHeader/$process-message",
      parameters({ name: "content", resource: { resourceType: "Patient" } }),
      "structure",
    ],
    ["a bare resource of another type", "MessageHeader/$process-message", { resourceType: "Patient" }, "structure"],
    ["a bare resource where Parameters go", "CodeSystem/$lookup", { resourceType: "CodeSystem" }, "structure"],
    ["a missing input", "Patient/$match", parameters({ name: "count", valueInteger: 3 }), "required"],
    [
      "an input twice",
      "Patient/$meta-add",
      parameters({ name: "meta", valueMeta: {} }, { name: "meta", valueMeta: {} }),
      "structure",
    ],
    [
      "a value where parts go",
      "CodeSystem/$find-matches",
      parameters({ name: "exact", valueBoolean: true }, { name: "property", valueString: "x" }),
      "structure",
    ],
  ])("refuses %s", (_what, path, body, issue) => expect(bodyOf(path, body).map((one) => one.issue)).toContain(issue));

  it("never throws, and tells nothing of what it was given (S15)", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom("Patient/$match", "CodeSystem/$lookup", "/$process-message"),
        (value, path) => {
          const secret = marked(value);
          const body = { resourceType: "Parameters", parameter: [secret, value] };
          expect(isMarked([bodyOf(path, secret), bodyOf(path, body)])).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
