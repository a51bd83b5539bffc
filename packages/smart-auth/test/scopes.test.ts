import type { Principal } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type Authority, DEFAULT_SUPPORT_TYPES, grantFor } from "../src/grant.ts";
import { parseOptions } from "../src/options.ts";
import { parseScope, parseScopes } from "../src/scopes.ts";

describe("a scope", () => {
  it.each([
    ["patient/Observation.rs", "patient", "Observation", "rs", []],
    ["user/*.cruds", "user", "*", "cruds", []],
    ["system/Patient.d", "system", "Patient", "d", []],
    ["patient/Patient.read", "patient", "Patient", "rs", []],
    ["patient/Patient.write", "patient", "Patient", "cud", []],
    ["user/*.*", "user", "*", "cruds", []],
    ["system/*.read", "system", "*", "rs", []],
    ["http://smarthealthit.org/fhir/scopes/patient/Condition.r", "patient", "Condition", "r", []],
    [
      "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
      "patient",
      "Observation",
      "rs",
      [["category", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"]],
    ],
    [
      "patient/Observation.rs?category=a%7Cb&status=final",
      "patient",
      "Observation",
      "rs",
      [
        ["category", "a|b"],
        ["status", "final"],
      ],
    ],
    ["user/*.r?_security=R", "user", "*", "r", [["_security", "R"]]],
    [
      "patient/Observation.r?performer=Practitioner/1",
      "patient",
      "Observation",
      "r",
      [["performer", "Practitioner/1"]],
    ],
    ["user/Patient.r?family=Lee", "user", "Patient", "r", [["family", "Lee"]]],
    ["patient/Observation.r?date=ge2024", "patient", "Observation", "r", [["date", "ge2024"]]],
    ["user/ValueSet.r?url=urn:x", "user", "ValueSet", "r", [["url", "urn:x"]]],
    ["patient/RiskAssessment.r?probability=gt0.8", "patient", "RiskAssessment", "r", [["probability", "gt0.8"]]],
    ["patient/Observation.r?value-quantity=5", "patient", "Observation", "r", [["value-quantity", "5"]]],
  ] as const)("%s is %s, %s, %s", (text, context, type, letters, filter) => {
    expect(parseScope(text)).toEqual({ text, context, type, letters: letters.split(""), filter });
  });

  it.each([
    ["letters out of order", "patient/Observation.dus"],
    ["a filter on all types by a parameter of one", "user/*.rs?code=a"],
    ["a filter that is not percent-encoded text", "patient/Observation.rs?code=%E0%A4%A"],
    ["letters out of order", "patient/Observation.sr"],
    ["a repeated letter", "patient/Observation.rr"],
    ["an unknown letter", "patient/Observation.rx"],
    ["no letters", "patient/Observation."],
    ["no permission", "patient/Observation"],
    ["two v1 words", "patient/Observation.readwrite"],
    ["v1 in capitals", "patient/Observation.READ"],
    ["letters and a star", "patient/Observation.r*"],
    ["v1 with a filter", "patient/Observation.read?category=a"],
    ["an unknown context", "encounter/Observation.rs"],
    ["a context in capitals", "Patient/Observation.rs"],
    ["an unknown type", "patient/Observations.rs"],
    ["a type in lower case", "patient/observation.rs"],
    ["an abstract type", "patient/DomainResource.rs"],
    ["a part of a type", "patient/Obs*.rs"],
    ["another separator", "patient.Observation.rs"],
    ["an encoded separator", "patient%2FObservation.rs"],
    ["a space", "patient/Observation.rs "],
    ["something in front", "xpatient/Observation.rs"],
    ["something in front of v1", "xpatient/Observation.read"],
    ["a space inside", "patient/Observation.rs?status=fi nal"],
    ["a name cut short by no equals sign", "patient/Observation.rs?codes"],
    ["_content", "patient/Observation.rs?_content=x"],
    ["_type", "patient/Observation.rs?_type=Observation"],
    ["_content of all types", "user/*.rs?_content=x"],
    ["_text of all types", "user/*.rs?_text=x"],
    ["a quote", 'patient/Observation.rs?status="final"'],
    ["an empty filter", "patient/Observation.rs?"],
    ["a filter without value", "patient/Observation.rs?status"],
    ["a filter with an empty value", "patient/Observation.rs?status="],
    ["a filter without name", "patient/Observation.rs?=final"],
    ["a filter that ends early", "patient/Observation.rs?status=final&"],
    ["a filter that cannot be decoded", "patient/Observation.rs?status=%zz"],
    ["a parameter the type does not have", "patient/Observation.rs?colour=red"],
    ["a modifier", "patient/Observation.rs?code:in=http://example.org/vs"],
    ["a chain", "patient/Observation.rs?patient.birthdate=1970"],
    ["a reverse chain", "patient/Patient.rs?_has:Observation:subject:code=x"],
    ["a composite parameter", "patient/Observation.rs?code-value-quantity=a$b"],
    ["_filter", "patient/Observation.rs?_filter=status"],
    ["_text", "patient/Observation.rs?_text=x"],
    ["_query", "patient/Observation.rs?_query=x"],
    ["_list", "patient/Observation.rs?_list=1"],
    ["_count", "patient/Observation.rs?_count=1"],
    ["_include", "patient/Observation.rs?_include=Observation:subject"],
    ["a parameter not every type has", "patient/*.rs?category=a"],
    ["launch", "launch/patient"],
    ["identity", "openid"],
    ["an extension", "__custom"],
  ])("with %s grants nothing: %s", (_what, text) => {
    expect(parseScope(text)).toBe(undefined);
  });
});

it("A5: what grants nothing is left out of what a token was granted", () => {
  const granted = parseScopes(["openid", "patient/Patient.r", "patient/Nobody.r", "user/*.s"]);
  expect(granted.map(({ text }) => text)).toEqual(["patient/Patient.r", "user/*.s"]);
});

const { route } = parseOptions({
  issuers: [{ issuer: "https://as.example", audience: ["a"] }],
  baseUrl: "https://fhir.example.org/fhir",
});

const principal = (change: Partial<Principal>): Principal => ({
  method: "jwt",
  issuer: "https://as.example",
  subject: "user-1",
  clientId: "app-1",
  roles: [],
  purposeOfUse: [],
  launch: {},
  scopes: ["patient/Patient.r", "user/Patient.r", "system/Patient.r"],
  ...change,
});

describe("A4: each scope counts with its own context only", () => {
  it.each<[string, Partial<Principal>, string[]]>([
    ["nothing known", {}, []],
    ["a launch patient", { launch: { patient: "p1" } }, ["patient Patient/p1"]],
    ["a practitioner", { fhirUser: "Practitioner/d" }, ["user"]],
    ["a practitioner's role", { fhirUser: "https://fhir.example.org/fhir/PractitionerRole/d" }, ["user"]],
    ["a patient as user", { fhirUser: "Patient/p9" }, ["user Patient/p9"]],
    [
      "a patient as user, launched for another",
      { fhirUser: "Patient/p9", launch: { patient: "p1" } },
      ["patient Patient/p1", "user Patient/p9"],
    ],
    ["a practitioner of another server", { fhirUser: "https://elsewhere.example/Practitioner/d" }, []],
    ["a relative", { fhirUser: "RelatedPerson/r" }, []],
    ["a person", { fhirUser: "Person/r" }, []],
    ["a fhirUser nobody can read", { fhirUser: "practitioner d" }, []],
    ["a client for itself", { subject: "app-1" }, ["system"]],
    ["a client for itself, with a patient", { subject: "app-1", launch: { patient: "p1" } }, ["patient Patient/p1"]],
    ["a client for itself, with a user", { subject: "app-1", fhirUser: "Practitioner/d" }, ["user"]],
  ])("%s", (_what, change, expected) => {
    const { clauses } = grantFor(principal(change), route);
    const shown = clauses.map(({ context, compartment }) =>
      compartment ? `${context} Patient/${compartment.id}` : context,
    );
    expect(shown).toEqual(expected);
  });
});

describe("A4: whose records a user reaches, where that was looked up", () => {
  it.each<[string, string | undefined, Authority["userAccess"], string[]]>([
    ["all, for staff", "Practitioner/d", "all", ["everybody"]],
    ["all, for staff by a role", "PractitionerRole/d", "all", ["everybody"]],
    ["all, for whom the issuer does not describe", undefined, "all", ["everybody"]],
    ["all, for a patient: the own", "Patient/p9", "all", ["p9"]],
    ["all, for a relative: nobody", "RelatedPerson/r", "all", []],
    ["all, for another server's staff: nobody", "https://elsewhere.example/Practitioner/d", "all", []],
    ["some, for staff", "Practitioner/d", ["p1", "p2"], ["p1", "p2"]],
    ["some, for a patient: the own besides, once", "Patient/p2", ["p1", "p2"], ["p2", "p1"]],
    ["some, for a relative", "RelatedPerson/r", ["p1"], ["p1"]],
    ["nobody", "Practitioner/d", [], []],
  ])("%s", (_what, fhirUser, userAccess, expected) => {
    const asked = principal({ scopes: ["user/Patient.r"], ...(fhirUser === undefined ? {} : { fhirUser }) });
    const { clauses } = grantFor(asked, route, userAccess === undefined ? {} : { userAccess });
    expect(clauses.map(({ compartment }) => compartment?.id ?? "everybody")).toEqual(expected);
  });
});

it("the types a bound caller may read without a patient are these, and no other", () => {
  expect(DEFAULT_SUPPORT_TYPES.join(" ")).toBe(
    "Practitioner PractitionerRole Organization Location Medication Questionnaire ValueSet CodeSystem StructureDefinition",
  );
});

describe("a clause", () => {
  it("is the scope with its bound, and what the route says", () => {
    const asked = principal({
      scopes: ["patient/Observation.rs?status=final", "user/*.cud"],
      launch: { patient: "p1" },
    });
    const staff = { ...asked, fhirUser: "Practitioner/d" };
    const { supportTypes } = route;
    expect(grantFor(staff, { ...route, compartmentRule: "full" })).toEqual({
      clauses: [
        {
          from: "patient/Observation.rs?status=final",
          context: "patient",
          types: ["Observation"],
          letters: ["r", "s"],
          filter: [["status", "final"]],
          supportTypes,
          compartment: { type: "Patient", id: "p1", rule: "full" },
        },
        { from: "user/*.cud", context: "user", types: "*", letters: ["c", "u", "d"], filter: [], supportTypes },
      ],
    });
  });

  it("comes of the scopes that count, where fewer count than the token has", () => {
    const [first] = parseScopes(["user/Condition.r"]);
    const asked = principal({ scopes: ["user/*.cruds"], fhirUser: "Practitioner/d" });
    const { clauses } = grantFor(asked, route, { scopes: first === undefined ? [] : [first] });
    expect(clauses.map(({ from }) => from)).toEqual(["user/Condition.r"]);
    expect(grantFor(asked, route, { scopes: [] }).clauses).toEqual([]);
  });

  it.each<[string, Partial<Principal>, string[]]>([
    ["by its certificate", { method: "client-certificate", subject: "device-7" }, ["system"]],
    ["by its certificate, with a user", { method: "client-certificate", fhirUser: "Practitioner/d" }, ["user"]],
    ["under a name that is not its client's", { subject: "somebody" }, []],
  ])("of a system counts for who acts for itself %s", (_what, change, expected) => {
    expect(grantFor(principal(change), route).clauses.map(({ context }) => context)).toEqual(expected);
  });
});
