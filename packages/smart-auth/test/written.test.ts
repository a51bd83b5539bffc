import type { Json } from "@wardline/policy-types/express";
import { type TestCa, testCa } from "@wardline-tools/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { binariesIn } from "../src/binary/mentions.ts";
import { patientsInside, patientsWritten } from "../src/written.ts";
import { STORE } from "./support/backend.ts";
import { createEdge, DOCTOR, type Edge, FHIR, SYSTEM } from "./support/edge.ts";
import { EXPRESS } from "./support/servers.ts";

const about = (patient: string) => ({ reference: `Patient/${patient}` });
const observation = (patient: string, more: object = {}) => ({
  resourceType: "Observation",
  status: "final",
  code: {},
  subject: about(patient),
  ...more,
});
const INTERACTIONS = ["read", "create", "update", "patch", "delete", "batch", "transaction"] as const;
const readStored = async ({ type, id }: { type: string; id: string }): Promise<Json | undefined> => {
  const found = STORE.find((one) => one.resourceType === type && one.id === id);
  return found === undefined ? undefined : ({ ...found, meta: { versionId: "1" } } as Json);
};

const searchStored = async (): Promise<Json> =>
  ({
    resourceType: "Bundle",
    type: "searchset",
    entry: STORE.filter(({ resourceType }) => resourceType === "Observation").map((resource) => ({ resource })),
  }) as Json;

let ca: TestCa;
beforeAll(async () => {
  ca = await testCa("Pump CA");
});

it("S10: as much as a body may hold is looked through", () => {
  const many = <Entry>(entry: Entry): Entry[] => Array.from({ length: 300_000 }, () => entry);
  const stored = { resourceType: "Bundle", type: "collection", entry: many({ resource: observation("p1") }) };
  expect(new Set(patientsInside(stored, {}))).toEqual(new Set(["p1"]));
  const listed = { resourceType: "Parameters", parameter: many({ name: "a", resource: observation("p1") }) };
  expect(new Set(patientsInside(listed, {}))).toEqual(new Set(["p1"]));
  expect(binariesIn({ list: many("Binary/1") }, {})).toEqual(new Set(["1"]));
});

/** The patients of the one record there is. */
async function recorded(edge: Edge): Promise<readonly string[]> {
  await expect.poll(() => edge.records.length).toBe(1);
  return [...(edge.records[0]?.patients ?? [])].sort();
}

describe.each(EXPRESS)("A15: the access record names whose record was written, on %s", (_name, express) => {
  const edgeWith = (options = {}) => createEdge(express, { interactions: INTERACTIONS, readStored, ...options });
  const send = (edge: Edge, method: string, path: string, body: object | undefined, scope: string, claims = SYSTEM) =>
    edge.as(
      scope,
      path,
      { method, headers: FHIR, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
      claims,
    );

  it.each<[string, string, string, object, string[]]>([
    ["a create", "POST", "/Observation", observation("p7"), ["p7"]],
    ["a create that names two", "POST", "/Observation", observation("p7", { performer: [about("p8")] }), ["p7", "p8"]],
    ["an update", "PUT", "/Observation/o1", observation("p7", { id: "o1" }), ["p7"]],
    ["an update of a Patient", "PUT", "/Patient/p7", { resourceType: "Patient", id: "p7" }, ["p7"]],
    [
      "a create of a Bundle",
      "POST",
      "/Bundle",
      { resourceType: "Bundle", type: "collection", entry: [{ resource: observation("p7") }] },
      ["p7"],
    ],
    ["a patch", "PATCH", "/Observation/o1", [{ op: "replace", path: "/subject", value: about("p7") }], ["p1", "p7"]],
    ["a patch of what is not there", "PATCH", "/Observation/o99", [{ op: "remove", path: "/status" }], []],
    ["a delete", "DELETE", "/Observation/o2", {}, ["p2"]],
    ["a delete of what is not there", "DELETE", "/Observation/o99", {}, []],
    ["a conditional delete", "DELETE", "/Observation?code=x", {}, ["p1", "p2"]],
  ])("%s by a system that may do nothing else", async (_what, method, path, body, patients) => {
    const edge = await edgeWith({ searchStored });
    edge.backend.next = (_req, res) => void res.status(method === "POST" ? 201 : 200).end();
    const sent = method === "DELETE" ? undefined : body;
    expect((await send(edge, method, path, sent, "system/*.cuds")).status).toBeLessThan(300);
    expect(await recorded(edge)).toEqual(patients);
  });

  it.each([
    ["at an address", "/Observation/o2", { readStored: () => Promise.reject(new Error("down")) }],
    ["by a condition", "/Observation?code=x", { searchStored: () => Promise.reject(new Error("down")) }],
  ])("F8: a delete %s is not made when nobody can say whose record it is", async (_what, path, options) => {
    const edge = await edgeWith(options);
    const answer = await send(edge, "DELETE", path, undefined, "system/*.ds");
    expect([answer.status, edge.backend.seen]).toEqual([503, []]);
  });

  it("a patch that names nobody: whom the answer is about, though the caller may not read it", async () => {
    const edge = await edgeWith();
    const answer = await send(
      edge,
      "PATCH",
      "/Observation/o1",
      [{ op: "test", path: "/id", value: "o1" }],
      "system/*.u",
    );
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect(await recorded(edge)).toEqual(["p1"]);
  });

  it("a create by a device, known by its certificate", async () => {
    const edge = await edgeWith({
      now: Date.now,
      devices: [
        {
          name: "pump",
          issuedBy: [ca.cert],
          identity: { name: "uri", prefix: "urn:device:" },
          scopes: ["system/Observation.c"],
        },
      ],
      clientCertificateHeader: { format: "rfc9440", trustedProxies: ["127.0.0.1"] },
    });
    const { cert } = await ca.issue({ name: "pump 7", uri: ["urn:device:7"], use: "client" });
    const der = cert.replaceAll(/-----[A-Z ]+-----|\s/g, "");
    const headers = { ...FHIR, "client-cert": `:${der}:` };
    const body = JSON.stringify(observation("p7"));
    expect((await edge.as(undefined, "/Observation", { method: "POST", headers, body })).status).toBe(201);
    expect(await recorded(edge)).toEqual(["p7"]);
  });

  it.each(["batch", "transaction"])("each permitted entry of a %s, and no refused one", async (type) => {
    const entry = [
      { request: { method: "POST", url: "Observation" }, resource: observation("p7") },
      { request: { method: "PUT", url: "Observation/o1" }, resource: observation("p8", { id: "o1" }) },
      ...(type === "batch"
        ? [{ request: { method: "POST", url: "Condition" }, resource: { resourceType: "Observation" } }]
        : []),
    ];
    const edge = await edgeWith();
    edge.backend.next = (_req, res) =>
      void res.json({
        resourceType: "Bundle",
        type: `${type}-response`,
        entry: [{ response: { status: "201" } }, { response: { status: "200" } }],
      });
    const answer = await send(edge, "POST", "", { resourceType: "Bundle", type, entry }, "system/*.cu");
    expect(answer.status).toBe(200);
    expect(await recorded(edge)).toEqual(["p7", "p8"]);
    expect(edge.records[0]?.delivered).toEqual([]);
  });

  it("of a batch that writes and reads: whose data the answer held, apart from whose were written", async () => {
    const edge = await edgeWith();
    const entry = [
      { request: { method: "POST", url: "Observation" }, resource: observation("p7") },
      { request: { method: "GET", url: "Observation/o1" } },
    ];
    const read = { response: { status: "200" }, resource: observation("p1", { id: "o1" }) };
    edge.backend.next = (_req, res) =>
      void res.json({ resourceType: "Bundle", type: "batch-response", entry: [{ response: { status: "201" } }, read] });
    const batch = { resourceType: "Bundle", type: "batch", entry };
    expect((await send(edge, "POST", "", batch, "system/*.cruds")).status).toBe(200);
    expect(await recorded(edge)).toEqual(["p1", "p7"]);
    expect(edge.records[0]?.delivered).toEqual(["p1"]);
  });

  it("bound writes: the submitted and the stored version, and of a patch its result, without any echo", async () => {
    const cases: [string, string, object | undefined][] = [
      ["POST", "/Observation", observation("p1")],
      ["PUT", "/Observation/o1", observation("p1", { id: "o1" })],
      ["PATCH", "/Observation/o1", [{ op: "replace", path: "/status", value: "amended" }]],
      ["DELETE", "/Observation/o1", undefined],
    ];
    for (const [method, path, body] of cases) {
      const edge = await edgeWith();
      edge.backend.next = (_req, res) => void res.status(204).end();
      expect((await send(edge, method, path, body, "patient/*.cruds", {})).status).toBe(204);
      expect(await recorded(edge), method).toEqual(["p1"]);
    }
  });

  it("an update that takes a record from one patient to another: both", async () => {
    const edge = await edgeWith();
    const moved = observation("p7", { id: "o1" });
    const scope = "user/Observation.cu?status=final";
    expect((await send(edge, "PUT", "/Observation/o1", moved, scope, DOCTOR)).status).toBe(200);
    expect(await recorded(edge)).toEqual(["p1", "p7"]);
  });

  it("a refused write reaches nobody's record, and none is named", async () => {
    const edge = await edgeWith();
    expect((await send(edge, "POST", "/Observation", observation("p7"), "user/Condition.c", DOCTOR)).status).toBe(403);
    expect(await recorded(edge)).toEqual([]);
  });
});

describe("the patients a write names", () => {
  const options = { baseUrls: ["https://fhir.example/fhir"] };
  const of = (code: "create" | "update" | "patch", type: string, body: unknown) =>
    patientsWritten({ interaction: { code, type } as never, body: body as Json }, options);

  it.each<[string, "create" | "update" | "patch", string, unknown, string[]]>([
    ["a new Patient has no id yet", "create", "Patient", { resourceType: "Patient", id: "p1" }, []],
    ["an id that is none", "update", "Patient", { resourceType: "Patient", id: "p 1\n" }, []],
    [
      "an absolute reference",
      "create",
      "Observation",
      observation("x", { subject: { reference: "https://fhir.example/fhir/Patient/p1" } }),
      ["p1"],
    ],
    [
      "another server's patient",
      "create",
      "Observation",
      observation("x", { subject: { reference: "https://other.example/Patient/p1" } }),
      [],
    ],
    [
      "a JSON Patch of the text alone",
      "patch",
      "Task",
      [{ op: "replace", path: "/for/reference", value: "Patient/p1" }],
      ["p1"],
    ],
    [
      "a FHIRPath Patch",
      "patch",
      "Task",
      {
        resourceType: "Parameters",
        parameter: [{ name: "operation", part: [{ name: "value", valueReference: about("p1") }] }],
      },
      ["p1"],
    ],
    [
      "Parameters",
      "create",
      "Parameters",
      { resourceType: "Parameters", parameter: [{ name: "a", part: [{ name: "b", resource: observation("p1") }] }] },
      ["p1"],
    ],
    ["nothing", "patch", "Task", undefined, []],
    ["no resource", "update", "Task", ["Patient/p1"], []],
  ])("%s", (_name, code, type, body, patients) => {
    expect(of(code, type, body)).toEqual(patients);
  });

  it("a patch that was applied: its result, wherever that took the reference from", () => {
    const interaction = { code: "patch", type: "Observation" } as never;
    const stored = observation("p1", { note: [{ text: "Patient/p2" }] });
    const body = [{ op: "copy", from: "/note/0/text", path: "/subject/reference" }];
    const result = observation("p2", { note: [{ text: "Patient/p2" }] });
    expect(patientsWritten({ interaction, body, stored: [stored], result }, options)).toEqual(["p1", "p2"]);
  });
});
