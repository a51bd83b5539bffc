import {
  type InteractionRequest,
  inCompartment,
  matches,
  operationOutcome,
  parseInteraction,
  parseReference,
  parseSearch,
  patientsOf,
  searchParameter,
} from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const search = { method: "POST", path: "/Patient/_search" };

describe("a request put together wrongly is unknown, touches everything, and says why", () => {
  it.each<[string, unknown, string]>([
    ["the query left in the path", { method: "GET", path: "/Patient?name=x" }, "must be percent-encoded"],
    ["the mount path left in", { method: "GET", path: "/fhir/Patient/1" }, "R4 has no such URL for this method"],
    ["a whole URL as path", { method: "GET", path: "https://x.org/fhir/Patient/1" }, "the path holds an empty segment"],
    ["a type in another case", { method: "GET", path: "/patient/1" }, "R4 has no such URL for this method"],
    ["a method in another case", { method: "get", path: "/Patient/1" }, "the method is none of FHIR's"],
    ["no path", { method: "GET" }, "the path is no text"],
    ["Express's req.query", { method: "GET", path: "/Patient", query: { name: "x" } }, "the query is no text"],
    ["a form that Express has parsed", { ...search, headers: FORM, form: { name: "x" } }, "the form is no text"],
    ["a form that nobody has read", { ...search, headers: FORM }, "the form body of the search was not read"],
    ["headers as they were typed", { ...search, headers: { "Content-Type": FORM["content-type"] } }, "in lower case"],
    [
      "a condition among headers as they were typed",
      { method: "POST", path: "/Patient", headers: { "If-None-Exist": "identifier=x" } },
      "in lower case",
    ],
    ["a Bundle not parsed", { method: "POST", path: "/", body: '{"resourceType":"Bundle"}' }, "the body is no Bundle"],
  ])("%s", (_what, request, because) => {
    const asked = parseInteraction(request as InteractionRequest);
    expect(asked).toMatchObject({ code: "unknown", touches: [{ type: "*" }] });
    expect(asked.unknownBecause).toContain(because);
  });

  it("a query with its question mark is a parameter that nobody knows", () => {
    const { search: asked } = parseInteraction({ method: "GET", path: "/Patient", query: "?name=x" });
    expect(asked?.criteria).toMatchObject([{ raw: "?name", known: false }]);
  });
});

describe("a question put wrongly is answered with no, nothing or undecided, never with yes", () => {
  const observation = { resourceType: "Observation", status: "final", subject: { reference: "Patient/1" } };
  const finals = parseSearch(["Observation"], [["status", "final"]]).criteria;

  it("a patient's reference in place of the id, a rule that is none, a resource as text", () => {
    const of = (id: string, rule = "subject", resource: unknown = observation): boolean =>
      inCompartment(resource, { type: "Patient", id }, rule as "subject");
    expect(of("1")).toBe(true);
    expect(of("Patient/1")).toBe(false);
    expect(of("1", "Subject")).toBe(false);
    expect(of("1", "subject", JSON.stringify(observation))).toBe(false);
  });

  it("a Bundle in place of its resources", () => {
    const bundle = { resourceType: "Bundle", type: "searchset", entry: [{ resource: observation }] };
    expect(patientsOf(bundle)).toEqual([]);
    expect(bundle.entry.flatMap(({ resource }) => patientsOf(resource))).toEqual(["1"]);
    expect(matches(bundle, finals)).toBe(false);
  });

  it("undecided taken for yes: a chain is not followed, so compare with true", () => {
    expect(matches(observation, finals)).toBe(true);
    const chained = parseSearch(["Observation"], [["patient.name", "x"]]).criteria;
    expect(matches(observation, chained)).toBe("undecided");
    expect(matches(JSON.stringify(observation), finals)).toBe("undecided");
  });

  it("this server's own URL, when nobody said that it is", () => {
    const url = "https://fhir.example.org/fhir/Patient/1";
    expect(parseReference(url)).toEqual({ kind: "external" });
    expect(parseReference(url, { baseUrls: ["https://fhir.example.org/fhir"] })).toMatchObject({ kind: "literal" });
  });

  it("a parameter by its element's name, and an outcome without an issue", () => {
    expect(searchParameter("Patient", "birthDate")).toBeUndefined();
    expect(searchParameter("Patient", "birthdate")?.type).toBe("date");
    expect(operationOutcome([])).toMatchObject({ issue: [{ severity: "information" }] });
  });
});
