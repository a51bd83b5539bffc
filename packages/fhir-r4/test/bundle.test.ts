import { parseInteraction } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

const BASE = { baseUrls: ["https://fhir.example.org/fhir/"] };
const bundle = (entry: unknown, type = "batch") => ({ resourceType: "Bundle", type, entry });
const post = (body: unknown, query = "") => parseInteraction({ method: "POST", path: "/", query, body }, BASE);
const one = (request: unknown, resource?: unknown) =>
  post(bundle([{ request, ...(resource === undefined ? {} : { resource }) }])).entries[0]?.interaction;

describe("batch and transaction, entry by entry (A11)", () => {
  it("reads every entry as the request it stands for", () => {
    const body = bundle(
      [
        { fullUrl: "urn:uuid:1", request: { method: "POST", url: "Patient", ifNoneExist: "identifier=x" } },
        { request: { method: "GET", url: "/Observation?subject:Patient.name=x" } },
        { request: { method: "PUT", url: "https://fhir.example.org/fhir/Condition/1" } },
        { request: { method: "DELETE", url: "Patient/1" } },
        { request: { method: "HEAD", url: "Patient/1/$everything" } },
      ],
      "transaction",
    );
    const interaction = post(body, "_format=json");
    expect(interaction).toMatchObject({ code: "transaction", path: "/" });
    expect(interaction.entries.map((entry) => [entry.index, entry.method, entry.interaction.code])).toEqual([
      [0, "POST", "create"],
      [1, "GET", "search-type"],
      [2, "PUT", "update"],
      [3, "DELETE", "delete"],
      [4, "HEAD", "operation"],
    ]);
    expect(interaction.entries[0]).toMatchObject({ fullUrl: "urn:uuid:1", interaction: { condition: {} } });
    expect(interaction.touches).toEqual(
      ["Patient", "Observation", "Condition", "*"].map((type) => ({ type, via: "entry" })),
    );
  });

  it.each([
    ["no object", "x"],
    ["null", null],
    ["an array", []],
    ["without a request", { resource: {} }],
    ["with a request that is text", { request: "GET Patient" }],
  ])("an entry that is %s is unknown at its index, and the others stay", (_, entry) => {
    const { entries, touches } = post(bundle([entry, { request: { method: "GET", url: "Patient/1" } }]));
    expect(entries[0]).toMatchObject({ index: 0, method: "", interaction: { code: "unknown" } });
    expect(entries[1]).toMatchObject({ index: 1, interaction: { code: "read" } });
    expect(touches).toContainEqual({ type: "*", via: "entry" });
  });

  it.each([
    [{ method: "GET", url: "https://evil.example/fhir/Patient/1" }, "the entry's URL is not below the base"],
    [{ method: "GET", url: "https://fhir.example.org/fhirx/Patient/1" }, "the entry's URL is not below the base"],
    [{ method: "GET", url: "//evil.example/Patient/1" }, "the entry's URL is not below the base"],
    [{ method: "GET", url: "urn:uuid:1" }, "the entry's URL is not below the base"],
    [{ method: "GET", url: "Patient/1#x" }, "the path holds a character that must be percent-encoded"],
    [{ method: "GET", url: "../admin/Patient/1" }, "the path holds a dot segment"],
    [{ method: "GET", url: "Patient%2f1" }, "the path holds an encoded delimiter"],
    [{ method: "POST", url: "" }, "a batch cannot hold a batch"],
    [{ method: "POST", url: "/" }, "a batch cannot hold a batch"],
    [{ method: "POST", url: "https://fhir.example.org/fhir" }, "a batch cannot hold a batch"],
    [{ method: ["GET"], url: "Patient" }, "the entry's method or URL is no text"],
    [{ method: "GET" }, "the entry's method or URL is no text"],
    [{ method: "POST", url: "Patient", ifNoneExist: ["a=b"] }, "the entry's condition is no text"],
    [{ method: "POST", url: "Patient", ifNoneExist: "" }, "the condition selects nothing"],
  ])("%j is unknown: %s", (request, because) => {
    expect(one(request, bundle([]))).toMatchObject({ code: "unknown", unknownBecause: because });
  });

  it("a Bundle inside an entry is data to be created, not run", () => {
    const inner = bundle([{ request: { method: "DELETE", url: "Patient/1" } }]);
    expect(one({ method: "POST", url: "Bundle" }, inner)).toMatchObject({
      code: "create",
      type: "Bundle",
      entries: [],
    });
  });

  it("a search entry takes its parameters from the URL only", () => {
    expect(one({ method: "POST", url: "Patient/_search?name=x" })).toMatchObject({ code: "search-type" });
    expect(one({ method: "POST", url: "Patient/_search" }, { resourceType: "Parameters" })).toMatchObject({
      code: "unknown",
      unknownBecause: "the body of a search is no form",
    });
  });

  it("shows what conditional references of an entry reach", () => {
    const resource = { resourceType: "Observation", subject: { reference: "Patient?identifier=x" } };
    expect(one({ method: "POST", url: "Observation" }, resource)?.touches).toContainEqual({
      type: "Patient",
      via: "condition",
    });
  });

  it.each([
    [undefined, "the body is no Bundle"],
    ["{}", "the body is no Bundle"],
    [[], "the body is no Bundle"],
    [{ resourceType: "Patient" }, "the body is no Bundle"],
    [Object.create({ resourceType: "Bundle", type: "batch" }) as unknown, "the body is no Bundle"],
    [bundle([], "searchset"), "the Bundle is no batch or transaction"],
    [bundle([], "Batch"), "the Bundle is no batch or transaction"],
    [bundle({}), "the Bundle's entries are no list"],
    [bundle("x"), "the Bundle's entries are no list"],
  ])("%j is unknown: %s", (body, because) => {
    expect(post(body)).toMatchObject({ code: "unknown", unknownBecause: because, entries: [] });
  });

  it("an empty batch touches nothing", () => {
    expect(post({ resourceType: "Bundle", type: "batch" })).toMatchObject({ code: "batch", touches: [], entries: [] });
  });

  it("a search on the base is no batch", () => {
    expect(post(bundle([]), "name=x")).toMatchObject({ code: "unknown" });
  });
});
