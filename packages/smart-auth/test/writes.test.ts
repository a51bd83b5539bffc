import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { SECRET, STORE } from "./support/backend.ts";
import { codeOf, createEdge, DOCTOR, type Edge, FHIR } from "./support/edge.ts";
import { AUDIENCE } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const INTERACTIONS = ["read", "create", "update", "patch", "delete"] as const;
const readStored = ({ type, id }: { type: string; id: string }): Promise<Json | undefined> =>
  Promise.resolve(STORE.find((one) => one.resourceType === type && one.id === id) as Json | undefined);

const observation = (patient: string, more: object = {}): string =>
  JSON.stringify({
    resourceType: "Observation",
    status: "final",
    code: {},
    subject: { reference: `Patient/${patient}` },
    ...more,
  });

describe.each(EXPRESS)("writing on %s", (_name, express) => {
  const edgeWith = (options = {}): Promise<Edge> =>
    createEdge(express, { interactions: INTERACTIONS, readStored, ...options });
  const write = (
    edge: Edge,
    method: string,
    path: string,
    body?: string,
    scope = "patient/*.cruds",
    claims = {},
    headers = {},
  ) =>
    edge.as(scope, path, { method, headers: { ...FHIR, ...headers }, ...(body === undefined ? {} : { body }) }, claims);

  it("creates for the own patient, with a public Location", async () => {
    const edge = await edgeWith();
    const answer = await write(edge, "POST", "/Observation", observation("p1"));
    expect(answer.status).toBe(201);
    expect(answer.headers["location"]).toBe(`${AUDIENCE}/Observation/new1/_history/1`);
    expect(JSON.parse(answer.text)).toMatchObject({ id: "new1" });
    expect(edge.backend.seen[0]?.body).toMatchObject({ subject: { reference: "Patient/p1" } });
  });

  it("the right to create is none to read back: the answer is minimal", async () => {
    const edge = await edgeWith();
    const answer = await write(edge, "POST", "/Observation", observation("p1"), "patient/Observation.c");
    expect([answer.status, answer.text]).toEqual([201, ""]);
    expect(answer.headers["location"]).toBe(`${AUDIENCE}/Observation/new1/_history/1`);
  });

  const urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
  it.each([
    ["for another patient", "/Observation", observation("p2"), "smart-auth/resource-not-covered", 403],
    ["without a subject", "/Observation", '{"resourceType":"Observation"}', "smart-auth/resource-not-covered", 403],
    [
      "for a subject known by identifier only",
      "/Observation",
      observation("p1", { subject: { identifier: { value: "p1" } } }),
      "smart-auth/resource-not-covered",
      403,
    ],
    [
      "for a urn",
      "/Observation",
      observation("p1", { subject: { reference: urn } }),
      "smart-auth/resource-not-covered",
      403,
    ],
    [
      "with another patient contained",
      "/Observation",
      observation("p1", { contained: [{ resourceType: "Patient", id: "x" }] }),
      "smart-auth/resource-not-covered",
      403,
    ],
    [
      "with a search in a reference",
      "/Observation",
      observation("p1", { performer: [{ reference: "Patient?identifier=1" }] }),
      "smart-auth/search-refused",
      403,
    ],
    [
      "A12: with a search in a reference, below a slash",
      "/Observation",
      observation("p1", { performer: [{ reference: "/Practitioner?identifier=1" }] }),
      "smart-auth/search-refused",
      403,
    ],
    ["of another type than the URL says", "/Condition", observation("p1"), "smart-auth/body-mismatch", 400],
    ["of a Patient", "/Patient", '{"resourceType":"Patient","id":"p1"}', "smart-auth/resource-not-covered", 403],
    ["of what is no resource", "/Observation", "[]", "smart-auth/body-mismatch", 400],
  ])("refuses to create %s", async (_what, path, body, code, status) => {
    const edge = await edgeWith();
    const answer = await write(edge, "POST", path, body);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(edge.backend.seen).toEqual([]);
  });

  it.each([
    ["a form", "application/x-www-form-urlencoded", "a=1"],
    ["XML", "application/fhir+xml", "<Observation/>"],
    ["bytes", "application/octet-stream", "x"],
    ["nothing", "application/fhir+json", ""],
  ])("refuses to create from %s", async (_what, type, body) => {
    const edge = await edgeWith();
    const answer = await write(edge, "POST", "/Observation", body, "user/*.cruds", DOCTOR, { "content-type": type });
    expect([answer.status, codeOf(answer)]).toEqual([415, "smart-auth/media-type-unsupported"]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("holds created resources to the filter of a granular scope", async () => {
    const edge = await edgeWith();
    const scope = "patient/Observation.cr?status=preliminary";
    expect((await write(edge, "POST", "/Observation", observation("p1"), scope)).status).toBe(403);
    const fitting = observation("p1", { status: "preliminary" });
    expect((await write(edge, "POST", "/Observation", fitting, scope)).status).toBe(201);
  });

  it("updates what was and stays the own patient's", async () => {
    const edge = await edgeWith();
    expect((await write(edge, "PUT", "/Observation/o1", observation("p1", { id: "o1" }))).status).toBe(200);
  });

  it.each([
    [
      "another's record, in the own name (A11)",
      "/Observation/o2",
      observation("p1", { id: "o2" }),
      404,
      "smart-auth/not-found",
    ],
    ["a record that does not exist", "/Observation/xx", observation("p1", { id: "xx" }), 404, "smart-auth/not-found"],
    [
      "the own record into another's name",
      "/Observation/o1",
      observation("p2", { id: "o1" }),
      403,
      "smart-auth/resource-not-covered",
    ],
    ["under another id", "/Observation/o1", observation("p1", { id: "o9" }), 400, "smart-auth/body-mismatch"],
    ["without an id", "/Observation/o1", observation("p1"), 400, "smart-auth/body-mismatch"],
    ["another patient", "/Patient/p2", '{"resourceType":"Patient","id":"p2"}', 404, "smart-auth/not-found"],
    ["under a condition", "/Observation?code=x", observation("p1", { id: "o1" }), 403, "smart-auth/condition-refused"],
  ])("refuses to update %s", async (_what, path, body, status, code) => {
    const edge = await edgeWith();
    const answer = await write(edge, "PUT", path, body);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("A9: deletes the own record; another's and none look alike", async () => {
    const edge = await edgeWith();
    expect((await write(edge, "DELETE", "/Observation/o1")).status).toBe(204);
    const [other, absent] = [
      await write(edge, "DELETE", "/Observation/o2"),
      await write(edge, "DELETE", "/Observation/xx"),
    ];
    expect([other?.status, other?.text]).toEqual([404, absent?.text]);
    expect(edge.backend.seen.length).toBe(1);
  });

  it.each([
    ["DELETE", "/Observation?code=x", {}, "smart-auth/condition-refused"],
    ["POST", "/Observation", { "if-none-exist": "code=x" }, "smart-auth/condition-refused"],
  ])("refuses %s %s with bound rights where no search can be asked", async (method, path, headers, code) => {
    const edge = await edgeWith();
    const body = method === "DELETE" ? undefined : observation("p1");
    const answer = await write(edge, method, path, body, "patient/*.cruds", {}, headers);
    expect([answer.status, codeOf(answer)]).toEqual([403, code]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("refuses bound updates and deletes when the stored version cannot be read", async () => {
    const blind = await createEdge(express, { interactions: INTERACTIONS });
    const refused = await write(blind, "DELETE", "/Observation/o1");
    expect([refused.status, codeOf(refused)]).toEqual([403, "smart-auth/stored-unknown"]);
    const broken = await edgeWith({ readStored: () => Promise.reject(new Error(SECRET)) });
    const answer = await write(broken, "PUT", "/Observation/o1", observation("p1", { id: "o1" }));
    expect([answer.status, codeOf(answer)]).toEqual([503, "smart-auth/stored-unavailable"]);
    expect([...blind.backend.seen, ...broken.backend.seen]).toEqual([]);
  });

  it("is by letters alone without bound, conditions and PATCH included", async () => {
    const edge = await edgeWith();
    const scope = "user/*.cruds";
    for (const [method, path, body, headers] of [
      ["POST", "/Observation", observation("p2"), {}],
      ["POST", "/Observation", observation("p2"), { "if-none-exist": "code=x" }],
      ["PUT", "/Observation/o2", observation("p2", { id: "o2" }), {}],
      ["PUT", "/Observation?code=x", observation("p2", { id: "o2" }), {}],
      ["PATCH", "/Observation/o2", "[]", { "content-type": "application/json-patch+json" }],
      ["DELETE", "/Observation?code=x", undefined, {}],
    ] as const) {
      edge.backend.next = (_req, res) => void res.status(200).end();
      expect((await write(edge, method, path, body, scope, DOCTOR, headers)).status, `${method} ${path}`).toBe(200);
    }
  });

  it.each([
    ["POST", "/Observation", "user/Observation.c", { "if-none-exist": "code=x" }, "smart-auth/scope-insufficient", 403],
    ["DELETE", "/Observation?code=x", "user/Observation.d", {}, "smart-auth/scope-insufficient", 403],
    ["DELETE", "/Observation?colour=x", "user/Observation.ds", {}, "smart-auth/parameter-unknown", 400],
    ["DELETE", "/Observation?subject:Patient.name=x", "user/Observation.ds", {}, "smart-auth/search-refused", 403],
    ["POST", "/Observation", "user/Observation.rs", {}, "smart-auth/scope-insufficient", 403],
  ])("A11: a condition is a search as well: %s %s by %s", async (method, path, scope, headers, code, status) => {
    const edge = await edgeWith();
    const body = method === "DELETE" ? undefined : observation("p2");
    const answer = await write(edge, method, path, body, scope, DOCTOR, headers);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("answers 413 to a body that is too long", async () => {
    const edge = await edgeWith({ requestBodyBytes: 100 });
    expect((await write(edge, "POST", "/Observation", observation("p1", { note: "x".repeat(200) }))).status).toBe(413);
  });

  it("believes a stored version only when it is the one asked for", async () => {
    const [o1] = STORE.filter(({ id }) => id === "o1");
    const edge = await edgeWith({ readStored: () => Promise.resolve(o1 as Json | undefined) });
    const answer = await write(edge, "DELETE", "/Observation/o2");
    expect([answer.status, codeOf(answer)]).toEqual([404, "smart-auth/not-found"]);
  });

  it("drops the Location of another resource than was updated", async () => {
    const edge = await edgeWith();
    edge.backend.next = (_req, res) => void res.status(200).set("Content-Location", "/fhir/Observation/o2").end();
    const answer = await write(edge, "PUT", "/Observation/o1", observation("p1", { id: "o1" }));
    expect([answer.status, answer.headers["content-location"]]).toEqual([200, undefined]);
  });

  it("drops a Location that names anything else", async () => {
    const edge = await edgeWith();
    for (const location of ["https://elsewhere.example/Observation/1", "/fhir/Patient/p2", "//x/Observation/1"]) {
      edge.backend.next = (_req, res) => void res.status(201).set("Location", location).end();
      const answer = await write(edge, "POST", "/Observation", observation("p1"));
      expect([answer.status, answer.headers["location"]]).toEqual([201, undefined]);
    }
  });
});
