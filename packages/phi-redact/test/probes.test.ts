import { parseInteraction } from "@wardline/fhir-r4";
import { expect, it } from "vitest";
import { decideLens, decideRequest } from "../src/decide.ts";
import { type PhiRedactOptions, parseOptions } from "../src/options.ts";

const NOBODY = {
  zone: undefined,
  apiType: undefined,
  clientId: undefined,
  organisation: undefined,
  roles: [],
  purposes: [],
};

/** The code of the refusal, or `permit`. */
function verdict(
  options: PhiRedactOptions,
  request: {
    method?: string;
    path: string;
    query?: string;
    form?: string;
    body?: object;
    headers?: Record<string, string>;
  },
): string {
  const parsed = parseOptions(options);
  const lens = decideLens(NOBODY, parsed);
  if (lens.kind === "deny") return lens.problem.code;
  const interaction = parseInteraction({ method: "GET", form: "", ...request });
  const decision = decideRequest(interaction, request.body as never, lens.grant, parsed);
  return decision.kind === "deny" ? decision.problem.code : "permit";
}

const HIDDEN: PhiRedactOptions = {
  profile: {
    name: "hidden",
    rules: [
      { path: "Patient.birthDate", action: "generalise" },
      { path: "Patient.telecom", action: "remove" },
      { path: "Patient.identifier.value", action: { mask: { last: 4 } } },
      { path: "HumanName.given", action: "remove" },
      { path: "Observation.value[x]", action: "remove" },
    ],
  },
};

it.each([
  ["/Patient", "birthdate=1974-12-25"],
  ["/Patient", "birthdate=lt1980"],
  ["/Patient", "birthdate:missing=false"],
  ["/Patient", "email=a@b.example"],
  ["/Patient", "telecom=123"],
  ["/Patient", "identifier=http://x|123"],
  ["/Patient", "name=Peter"],
  ["/Patient", "given:exact=Peter"],
  ["/Patient", "_sort=birthdate"],
  ["/Patient", "_sort=_id,-birthdate"],
  ["/Patient", "_text=Peter"],
  ["/Patient", "_content=Peter"],
  ["/Patient", "_filter=birthdate eq 1974"],
  ["/Patient", "ssn=123"],
  ["/Observation", "subject:Patient.birthdate=1974"],
  ["/Observation", "subject:Patient.name=Peter"],
  ["/Observation", "value-quantity=gt5"],
  ["/Observation", "code-value-quantity=1$5"],
  ["/Observation", "subject:identifier=123"],
  ["/Patient", "_has:Observation:patient:value-quantity=gt5"],
  ["", "_type=Patient&birthdate=1974"],
])("A1: %s?%s asks for what is hidden", (path, query) => {
  expect(verdict(HIDDEN, { path, query })).toBe("phi-redact/search-probes");
});

const ABOUT = "Patient?birthdate=1974-12-25";
const observation = (reference: string) => ({ resourceType: "Observation", id: "1", subject: { reference } });
const submitted = (method: string, path: string, body: object) => ({ method, path, body });
const entry = (method: string, resource: object) =>
  submitted("POST", "/", {
    resourceType: "Bundle",
    type: "transaction",
    entry: [{ request: { method: "GET", url: "Patient/1" } }, { request: { method, url: "Observation/1" }, resource }],
  });
const part = { name: "resource", resource: observation(ABOUT) };
const value = { name: "value", valueReference: { reference: ABOUT } };
const replaced = { name: "operation", part: [{ name: "type", valueCode: "replace" }, value] };

it.each([
  ["a create", submitted("POST", "/Observation", observation(ABOUT))],
  ["an update", submitted("PUT", "/Observation/1", observation(ABOUT))],
  ["another spelling", submitted("POST", "/Observation", observation(`/${ABOUT}`))],
  ["a transaction", entry("PUT", observation(ABOUT))],
  ["an operation", submitted("POST", "/Claim/$submit", { resourceType: "Parameters", parameter: [part] })],
  ["a JSON Patch", submitted("PATCH", "/Observation/1", [{ op: "add", path: "/subject/reference", value: ABOUT }])],
  ["a FHIRPath Patch", submitted("PATCH", "/Observation/1", { resourceType: "Parameters", parameter: [replaced] })],
  ["a patch in a batch", entry("PATCH", { resourceType: "Parameters", parameter: [replaced] })],
])("A1, A11: a match URL in %s asks for what is hidden", (_what, request) => {
  expect(verdict(HIDDEN, request)).toBe("phi-redact/search-probes");
  expect(verdict({ profile: "full" }, request)).toBe("permit");
});

it("A11: a match URL may ask for what is shown", () => {
  const request = submitted("POST", "/Observation", observation("Patient?family=Chalmers"));
  expect(verdict(HIDDEN, request)).toBe("permit");
});

it.each([
  ["/Patient", ""],
  ["/Patient", "family=Chalmers"],
  ["/Patient", "gender=male&_count=5&_summary=true"],
  ["/Patient", "_id=1&_lastUpdated=gt2020"],
  ["/Patient", "address-city=Springfield"],
  ["/Patient", "general-practitioner=Practitioner/1"],
  ["/Observation", "patient=Patient/1&code=http://loinc.org|1-1&_sort=-date"],
  ["/Observation", "patient.family=Chalmers&_include=Observation:subject"],
  ["/Patient", "_has:Observation:patient:code=1-1"],
  ["/Patient/1", ""],
  ["/Patient/1/_history", ""],
])("%s?%s does not", (path, query) => expect(verdict(HIDDEN, { path, query })).toBe("permit"));

it.each([
  ["a form", { method: "POST", path: "/Patient/_search", form: "birthdate=1974" }],
  [
    "a conditional create",
    {
      method: "POST",
      path: "/Patient",
      headers: { "if-none-exist": "birthdate=1974" },
      body: { resourceType: "Patient" },
    },
  ],
  [
    "a conditional update",
    { method: "PUT", path: "/Patient", query: "identifier=1", body: { resourceType: "Patient" } },
  ],
  ["a conditional delete", { method: "DELETE", path: "/Patient", query: "birthdate=1974" }],
  [
    "a batch",
    {
      method: "POST",
      path: "",
      body: {
        resourceType: "Bundle",
        type: "batch",
        entry: [{ request: { method: "GET", url: "Patient?birthdate=1974" } }],
      },
    },
  ],
])("A12: so does %s", (_name, request) => expect(verdict(HIDDEN, request)).toBe("phi-redact/search-probes"));

it("a server's own paging is let through when it is named", () => {
  const query = "gender=male&_getpages=abc";
  expect(verdict(HIDDEN, { path: "/Patient", query })).toBe("phi-redact/search-probes");
  expect(verdict({ ...HIDDEN, extraParameters: ["_getpages"] }, { path: "/Patient", query })).toBe("permit");
});

it("A1: chains and `_has` tell nothing of withheld categories", () => {
  const withheld: PhiRedactOptions = { profile: "full", sensitive: [{ category: "hiv", fate: "drop" }] };
  expect(verdict(withheld, { path: "/Patient", query: "_has:Condition:patient:code=B20" })).toBe(
    "phi-redact/search-probes",
  );
  expect(verdict(withheld, { path: "/DiagnosticReport", query: "result.code=75622-1" })).toBe(
    "phi-redact/search-probes",
  );
  expect(verdict(withheld, { path: "/Condition", query: "patient.family=Chalmers" })).toBe("permit");
  expect(verdict({ profile: "full" }, { path: "/Patient", query: "_has:Condition:patient:code=B20" })).toBe("permit");
});

it("a projection refuses types it does not name, however they are reached", () => {
  const directory: PhiRedactOptions = { profile: "minimum-necessary/directory" };
  expect(verdict(directory, { path: "/Patient" })).toBe("phi-redact/type-withheld");
  expect(verdict(directory, { path: "/PractitionerRole", query: "specialty=x" })).toBe("permit");
  expect(verdict(directory, { path: "/Practitioner", query: "_has:Observation:performer:code=1" })).toBe(
    "phi-redact/search-probes",
  );
  expect(verdict(directory, { path: "/Practitioner", query: "birthdate=1970" })).toBe("phi-redact/search-probes");
});

it("`full` refuses no search of R4", () => {
  expect(verdict({ profile: "full" }, { path: "/Patient", query: "birthdate=1974&identifier=1&_sort=birthdate" })).toBe(
    "permit",
  );
});

it("what cannot be named is refused", () => {
  expect(verdict({ profile: "full" }, { path: "/Patient//1" })).toBe("phi-redact/interaction-unknown");
});

it.each([
  ["test", [{ op: "test", path: "/birthDate", value: "1974-12-25" }]],
  ["copy", [{ op: "copy", from: "/birthDate", path: "/name/0/text" }]],
  ["move", [{ op: "move", from: "/birthDate", path: "/name/0/text" }]],
])("A1: a patch may not %s", (_name, body) => {
  const request = { method: "PATCH", path: "/Patient/1", body };
  expect(verdict(HIDDEN, request)).toBe("phi-redact/patch-probes");
  expect(verdict({ profile: "full" }, request)).toBe("permit");
});

it("a patch may replace", () => {
  expect(
    verdict(HIDDEN, { method: "PATCH", path: "/Patient/1", body: [{ op: "replace", path: "/gender", value: "male" }] }),
  ).toBe("permit");
});
