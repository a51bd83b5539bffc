import type { Json } from "@wardline/policy-types/express";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyPatch } from "../src/patch/apply.ts";
import { applyJsonPatch } from "../src/patch/json-patch.ts";
import type { FhirResource } from "../src/resource.ts";
import { codeOf, DOCTOR, FHIR } from "./support/edge.ts";
import { EXPRESS } from "./support/servers.ts";
import { createStoreEdge, observation, type StoreEdge } from "./support/store-edge.ts";

/** RFC 6902 appendix A by its sections, and each single corruption beside. `undefined`: it fails. */
const JSON_PATCH: readonly [title: string, document: Json, patch: Json, result: Json | undefined][] = [
  ["A.1 adds a member", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
  ["A.2 adds an element", { foo: ["a", "b"] }, [{ op: "add", path: "/foo/1", value: "q" }], { foo: ["a", "q", "b"] }],
  ["A.3 removes a member", { baz: 1, foo: 2 }, [{ op: "remove", path: "/baz" }], { foo: 2 }],
  ["A.4 removes an element", { foo: [1, 2, 3] }, [{ op: "remove", path: "/foo/1" }], { foo: [1, 3] }],
  ["A.5 replaces a value", { baz: 1 }, [{ op: "replace", path: "/baz", value: 2 }], { baz: 2 }],
  ["A.6 moves a value", { a: { x: 1 }, b: {} }, [{ op: "move", from: "/a/x", path: "/b/y" }], { a: {}, b: { y: 1 } }],
  ["A.7 moves an element", { a: [1, 2, 3] }, [{ op: "move", from: "/a/0", path: "/a/2" }], { a: [2, 3, 1] }],
  [
    "A.8 tests a value",
    { a: [1, { b: 2, c: 3 }] },
    [{ op: "test", path: "/a/1", value: { c: 3, b: 2 } }],
    { a: [1, { b: 2, c: 3 }] },
  ],
  ["A.9 a test that fails", { a: 1 }, [{ op: "test", path: "/a", value: 2 }], undefined],
  ["A.10 adds an object", { a: 1 }, [{ op: "add", path: "/b", value: { c: {} } }], { a: 1, b: { c: {} } }],
  ["A.11 ignores what it does not know", { a: 1 }, [{ op: "add", path: "/b", value: 2, xyz: 1 }], { a: 1, b: 2 }],
  ["A.12 a target that is not there", { a: 1 }, [{ op: "add", path: "/b/c", value: 2 }], undefined],
  ["A.14 escapes", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
  ["A.15 text is no number", { a: 10 }, [{ op: "test", path: "/a", value: "10" }], undefined],
  ["A.16 adds an array", { a: [1] }, [{ op: "add", path: "/a/-", value: [2] }], { a: [1, [2]] }],
  ["4.5 copies", { a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/c" }], { a: { b: 1 }, c: { b: 1 } }],
  ["4.3 replaces the whole", { a: 1 }, [{ op: "replace", path: "", value: { b: 1 } }], { b: 1 }],
  ["null is a value", { a: null }, [{ op: "test", path: "/a", value: null }], { a: null }],
  ["an index past the end", { a: [1] }, [{ op: "add", path: "/a/2", value: 2 }], undefined],
  ["an index with a zero in front", { a: [1, 2] }, [{ op: "replace", path: "/a/01", value: 2 }], undefined],
  ["a place past the end by `-`", { a: [1] }, [{ op: "remove", path: "/a/-" }], undefined],
  ["removes what is not there", { a: 1 }, [{ op: "remove", path: "/b" }], undefined],
  ["removes the whole", { a: 1 }, [{ op: "remove", path: "" }], undefined],
  ["moves into itself", { a: { b: {} } }, [{ op: "move", from: "/a", path: "/a/b/c" }], undefined],
  ["moves to where it is", { a: 1 }, [{ op: "move", from: "/a", path: "/a" }], { a: 1 }],
  ["a pointer without a slash", { a: 1 }, [{ op: "remove", path: "a" }], undefined],
  ["a broken escape", { "a~2": 1 }, [{ op: "remove", path: "/a~2" }], undefined],
  ["the name of a prototype", {}, [{ op: "add", path: "/__proto__", value: {} }], undefined],
  ["no value", { a: 1 }, [{ op: "add", path: "/b" }], undefined],
  ["no from", { a: 1 }, [{ op: "copy", path: "/b" }], undefined],
  ["an operation that is none", { a: 1 }, [{ op: "merge", path: "/a", value: 1 }], undefined],
  ["no list", { a: 1 }, { op: "remove", path: "/a" }, undefined],
  ["a list of anything", { a: 1 }, ["remove"], undefined],
  [
    "all or nothing",
    { a: 1 },
    [
      { op: "remove", path: "/a" },
      { op: "remove", path: "/a" },
    ],
    undefined,
  ],
  ["101 operations", { a: 1 }, Array.from({ length: 101 }, () => ({ op: "test", path: "/a", value: 1 })), undefined],
  [
    "copies that double",
    { a: [1, 2, 3] },
    Array.from({ length: 40 }, (_, at) => ({ op: "copy", from: "", path: `/x${at}` })),
    undefined,
  ],
];

describe("JSON Patch (RFC 6902)", () => {
  it("S10: a copy of more than is copied is refused, however long its lists are", () => {
    const grown = [
      { op: "add", path: "/a", value: Array.from({ length: 300_000 }, () => 0) },
      { op: "copy", from: "/a", path: "/b" },
    ];
    expect(applyJsonPatch({}, grown)).toEqual({ kind: "failed", because: "too much is copied" });
  });

  it.each(JSON_PATCH)("%s", (_title, document, patch, result) => {
    const before = JSON.stringify(document);
    const outcome = applyJsonPatch(document, patch);
    expect(outcome.kind === "patched" ? outcome.result : undefined).toEqual(result);
    expect(JSON.stringify(document)).toBe(before);
  });
});

const operation = (parts: Record<string, Json>): Json => ({
  resourceType: "Parameters",
  parameter: [
    {
      name: "operation",
      part: Object.entries(parts).map(([name, value]) =>
        typeof value === "number"
          ? { name, valueInteger: value }
          : typeof value === "string"
            ? { name, valueString: value }
            : { name, valueReference: value },
      ),
    },
  ],
});
const PATIENT = { resourceType: "Patient", id: "p1", gender: "male", name: [{ given: ["A", "B", "C"] }] };
const given = (...names: string[]): object => ({ ...PATIENT, name: [{ given: names }] });

/** @see https://hl7.org/fhir/R4/fhirpatch.html */
const FHIRPATH_PATCH: readonly [title: string, patch: Json, result: object | undefined][] = [
  [
    "replaces",
    operation({ type: "replace", path: "Patient.gender", value: "female" }),
    { ...PATIENT, gender: "female" },
  ],
  [
    "adds an element",
    operation({ type: "add", path: "Patient", name: "birthDate", value: "1970" }),
    { ...PATIENT, birthDate: "1970" },
  ],
  [
    "adds to a list",
    operation({ type: "add", path: "Patient.name[0]", name: "given", value: "D" }),
    given("A", "B", "C", "D"),
  ],
  [
    "inserts",
    operation({ type: "insert", path: "Patient.name[0].given", index: 1, value: "X" }),
    given("A", "X", "B", "C"),
  ],
  [
    "moves",
    operation({ type: "move", path: "Patient.name[0].given", source: 2, destination: 0 }),
    given("C", "A", "B"),
  ],
  ["deletes", operation({ type: "delete", path: "Patient.name[0].given[0]" }), given("B", "C")],
  ["deletes what is not there", operation({ type: "delete", path: "Patient.birthDate" }), PATIENT],
  ["another type at the root", operation({ type: "delete", path: "Person.gender" }), undefined],
  ...["Patient.name.exists()", "Patient.name.where(use!='old')", "Patient.name.where(use='a' or use='b')"].map(
    (path): [string, Json, undefined] => [
      `a path that is not known: ${path}`,
      operation({ type: "delete", path }),
      undefined,
    ],
  ),
  [
    "an element that is a list already",
    operation({ type: "add", path: "Patient", name: "gender", value: "x" }),
    undefined,
  ],
  ["replaces what is not there", operation({ type: "replace", path: "Patient.birthDate", value: "1" }), undefined],
  [
    "inserts past the end",
    operation({ type: "insert", path: "Patient.name[0].given", index: 9, value: "X" }),
    undefined,
  ],
  [
    "an index below zero",
    operation({ type: "move", path: "Patient.name[0].given", source: -1, destination: 0 }),
    undefined,
  ],
  ["an operation that is none", operation({ type: "merge", path: "Patient.gender" }), undefined],
  ["a name that is none", operation({ type: "add", path: "Patient", name: "__proto__", value: "x" }), undefined],
  [
    "a part twice",
    {
      resourceType: "Parameters",
      parameter: [
        {
          name: "operation",
          part: [
            { name: "type", valueCode: "delete" },
            { name: "type", valueCode: "delete" },
          ],
        },
      ],
    },
    undefined,
  ],
  ["a parameter that is no operation", { resourceType: "Parameters", parameter: [{ name: "other" }] }, undefined],
  [
    "a value of parts",
    { resourceType: "Parameters", parameter: [{ name: "operation", part: [{ name: "value", part: [] }] }] },
    undefined,
  ],
];

describe("FHIRPath Patch", () => {
  it.each(FHIRPATH_PATCH)("%s", (_title, patch, result) => {
    const outcome = applyPatch(PATIENT as unknown as FhirResource, patch);
    expect(outcome.kind === "permit" ? outcome.grant : undefined).toEqual(result);
  });

  const PERSON = {
    resourceType: "Patient",
    id: "p1",
    deceasedBoolean: false,
    name: [
      { use: "official", given: ["A"] },
      { use: "old", family: "Z", given: ["B", "C"] },
    ],
    telecom: [
      { system: "phone", use: "home", value: "1" },
      { system: "phone", use: "work", value: "2" },
      { system: "email", use: "home", value: "3" },
    ],
    extension: [
      { url: "urn:a", valueString: "x" },
      { url: "urn:b", valueReference: { reference: "Patient/p1" } },
    ],
  };
  const [official, old] = PERSON.name;
  const [home, work, email] = PERSON.telecom;
  const [extensionA, extensionB] = PERSON.extension;
  it.each<[string, Record<string, Json>, object | undefined]>([
    ["delete one by its use", { type: "delete", path: "Patient.name.where(use='old')" }, { name: [official] }],
    ["delete none by its use", { type: "delete", path: "Patient.name.where(use='nick')" }, {}],
    ["delete two at once", { type: "delete", path: "Patient.telecom.where(use='home')" }, undefined],
    [
      "replace by two equations",
      { type: "replace", path: "Patient.telecom.where(use = 'home' and system = 'phone').value", value: "9" },
      { telecom: [{ ...home, value: "9" }, work, email] },
    ],
    [
      "replace what is not there",
      { type: "replace", path: "Patient.name.where(use='nick').family", value: "X" },
      undefined,
    ],
    [
      "replace two at once",
      { type: "replace", path: "Patient.telecom.where(use='home').value", value: "9" },
      undefined,
    ],
    [
      "the first and the last",
      { type: "replace", path: "Patient.name.last().given.first()", value: "X" },
      { name: [official, { ...old, given: ["X", "C"] }] },
    ],
    [
      "an index over all",
      { type: "replace", path: "Patient.name.given[1]", value: "X" },
      { name: [official, { ...old, given: ["X", "C"] }] },
    ],
    [
      "add to one of a list",
      { type: "add", path: "Patient.name.where(use='official')", name: "family", value: "Own" },
      { name: [{ ...official, family: "Own" }, old] },
    ],
    ["add to several", { type: "add", path: "Patient.name", name: "family", value: "Own" }, undefined],
    [
      "delete the last member",
      { type: "delete", path: "Patient.name[0].given[0]" },
      { name: [{ use: "official" }, old] },
    ],
    ["an extension", { type: "delete", path: "Patient.extension('urn:a')" }, { extension: [extensionB] }],
    [
      "an extension's value",
      { type: "replace", path: "Patient.extension('urn:b').value", value: { reference: "Patient/p2" } },
      { extension: [extensionA, { url: "urn:b", valueReference: { reference: "Patient/p2" } }] },
    ],
    [
      "a choice by its type",
      { type: "delete", path: "Patient.extension.value.ofType(string)" },
      { extension: [{ url: "urn:a" }, extensionB] },
    ],
    [
      "a choice that becomes another",
      { type: "replace", path: "Patient.deceased", value: "2020" },
      { deceasedBoolean: undefined, deceasedString: "2020" },
    ],
    ["a type of what is no choice", { type: "delete", path: "Patient.name[0].ofType(HumanName)" }, undefined],
    ["a name that is no choice", { type: "replace", path: "Patient.resource", value: "Basic" }, undefined],
    ["an equation with a quote in it", { type: "delete", path: "Patient.name.where(use='o\\'ld')" }, undefined],
    ["an equation of several values", { type: "delete", path: "Patient.name.where(given='B')" }, {}],
    ["a function at the root", { type: "delete", path: "Patient.where(id='p1')" }, undefined],
    ["another spelling of the root", { type: "delete", path: "Patientx.name" }, undefined],
    ["words behind a path", { type: "delete", path: "Patient.name[0].given[0] | Patient.name[1]" }, undefined],
  ])("A11: %s", (_title, parts, change) => {
    const outcome = applyPatch(PERSON as unknown as FhirResource, operation(parts));
    const expected: unknown = change === undefined ? undefined : JSON.parse(JSON.stringify({ ...PERSON, ...change }));
    expect(outcome.kind === "permit" ? outcome.grant : undefined).toEqual(expected);
  });

  it("a value is built of its parts, as one without a name is", () => {
    const part = [
      { name: "type", valueCode: "add" },
      { name: "path", valueString: "Patient" },
      { name: "name", valueString: "contact" },
      {
        name: "value",
        part: [
          { name: "gender", valueCode: "female" },
          { name: "telecom", valueContactPoint: { value: "1" } },
          { name: "telecom", valueContactPoint: { value: "2" } },
          { name: "organization", part: [{ name: "reference", valueString: "Organization/o" }] },
        ],
      },
    ];
    const outcome = applyPatch(PATIENT as unknown as FhirResource, {
      resourceType: "Parameters",
      parameter: [{ name: "operation", part }],
    });
    expect(outcome.kind === "permit" ? outcome.grant : undefined).toEqual({
      ...PATIENT,
      contact: {
        gender: "female",
        telecom: [{ value: "1" }, { value: "2" }],
        organization: { reference: "Organization/o" },
      },
    });
  });

  it("a choice that is there is not added, nor is anything below it", () => {
    const stored = { resourceType: "Observation", id: "o", valueString: "x" } as unknown as FhirResource;
    expect(applyPatch(stored, operation({ type: "replace", path: "Observation.value.code", value: "y" })).kind).toBe(
      "deny",
    );
    expect(applyPatch(stored, operation({ type: "add", path: "Observation", name: "value", value: "y" })).kind).toBe(
      "deny",
    );
  });
});

it("no patch throws, and none writes to what is stored", () => {
  const anyPointer = fc.oneof(
    fc.constantFrom("", "/name", "/name/0", "/name/0/given/-", "/a/b", "/~", "x"),
    fc.string(),
  );
  const anyOperation = fc.record(
    {
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "?"),
      path: anyPointer,
      from: anyPointer,
      value: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  );
  const anyPart = fc.record({ name: fc.constantFrom("type", "path", "value", "index"), valueString: anyPointer });
  const anyPatch = fc.oneof(
    fc.array(anyOperation, { maxLength: 5 }),
    fc.jsonValue(),
    fc.array(anyPart).map((part) => ({ resourceType: "Parameters", parameter: [{ name: "operation", part }] })),
  );
  const before = JSON.stringify(PATIENT);
  fc.assert(
    fc.property(anyPatch, (patch) => {
      applyPatch(PATIENT as unknown as FhirResource, patch as Json);
      expect(JSON.stringify(PATIENT)).toBe(before);
    }),
  );
});

const ROWS = [
  { resourceType: "Patient", id: "p1" },
  observation("o1", "p1", "weight"),
  observation("h1", "p2", "weight"),
];

describe.each(EXPRESS)("PATCH judged by its result on %s (A11)", (_name, express) => {
  const JSON_TYPE = { "content-type": "application/json-patch+json" };
  const edgeWith = (options = {}): Promise<StoreEdge> => createStoreEdge(express, ROWS, options);
  const patch = (edge: StoreEdge, path: string, body: Json, scope = "patient/*.cruds", headers: object = JSON_TYPE) =>
    edge.as(scope, path, { method: "PATCH", body: JSON.stringify(body), headers: { ...headers } });
  const toAmended: Json = [{ op: "replace", path: "/status", value: "amended" }];

  it("is forwarded as it came, held to the version that was judged", async () => {
    const edge = await edgeWith();
    const answer = await patch(edge, "/Observation/o1", toAmended);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, expect.objectContaining({ status: "amended" })]);
    expect(edge.store.seen).toEqual(['PATCH /Observation/o1 W/"1"']);
    const condition = await patch(edge, "/Observation?code=weight", toAmended);
    expect([condition.status, edge.store.seen[1]]).toEqual([200, 'PATCH /Observation/o1 W/"2"']);
  });

  it("a FHIRPath Patch is judged too, in a batch as well", async () => {
    const edge = await edgeWith();
    const moved = operation({ type: "replace", path: "Observation.subject", value: { reference: "Patient/p2" } });
    const amended = operation({ type: "replace", path: "Observation.status", value: "amended" });
    expect((await patch(edge, "/Observation/o1", moved, undefined, FHIR)).status).toBe(403);
    expect((await patch(edge, "/Observation/o1", amended, undefined, FHIR)).status).toBe(200);
    const entry = [moved, amended].map((resource) => ({
      resource,
      request: { method: "PATCH", url: "Observation/o1" },
    }));
    const batch = await edge.as("patient/*.cruds", "/", {
      method: "POST",
      body: JSON.stringify({ resourceType: "Bundle", type: "batch", entry }),
      headers: FHIR,
    });
    const shown = JSON.parse(batch.text) as { entry: { response: { status: string } }[] };
    expect(shown.entry.map(({ response }) => response.status.slice(0, 3))).toEqual(["403", "200"]);
  });

  it.each<[string, string, Json, number, string]>([
    [
      "moves the subject",
      "/Observation/o1",
      [{ op: "replace", path: "/subject/reference", value: "Patient/p2" }],
      403,
      "resource-not-covered",
    ],
    ["removes the subject", "/Observation/o1", [{ op: "remove", path: "/subject" }], 403, "resource-not-covered"],
    [
      "contains another's record",
      "/Observation/o1",
      [{ op: "add", path: "/contained", value: [{ resourceType: "Patient", id: "p2" }] }],
      403,
      "resource-not-covered",
    ],
    ["changes the id", "/Observation/o1", [{ op: "replace", path: "/id", value: "h1" }], 400, "body-mismatch"],
    [
      "changes the type",
      "/Observation/o1",
      [{ op: "replace", path: "/resourceType", value: "Basic" }],
      400,
      "body-mismatch",
    ],
    [
      "brings in a match URL",
      "/Observation/o1",
      [{ op: "add", path: "/performer", value: [{ reference: "Patient?name=x" }] }],
      403,
      "search-refused",
    ],
    [
      "names a Binary nobody lets it read",
      "/Observation/o1",
      [{ op: "add", path: "/derivedFrom", value: [{ reference: "Binary/b1" }] }],
      403,
      "resource-not-covered",
    ],
    ["does not apply", "/Observation/o1", [{ op: "remove", path: "/none" }], 422, "patch-not-applicable"],
    ["tests another's record", "/Observation/h1", [{ op: "test", path: "/status", value: "final" }], 404, "not-found"],
    ["is for nothing", "/Observation/none", [], 404, "not-found"],
  ])("refuses one that %s", async (_what, path, body, status, code) => {
    const edge = await edgeWith();
    const answer = await patch(edge, path, body);
    expect([answer.status, codeOf(answer), edge.store.seen]).toEqual([status, `smart-auth/${code}`, []]);
  });

  it("A11: one whose caller may not search what its match URL asks about is refused without bound too", async () => {
    const edge = await edgeWith();
    for (const value of ["Patient?name=x", "/Patient?name=x"]) {
      const body = JSON.stringify([{ op: "replace", path: "/subject/reference", value }]);
      const headers = { "content-type": "application/json-patch+json" };
      const question = { method: "PATCH", headers, body };
      const answer = await edge.as("user/Observation.cruds", "/Observation/o1", question, DOCTOR);
      expect([answer.status, codeOf(answer), edge.store.seen]).toEqual([403, "smart-auth/search-refused", []]);
      expect((await edge.as("user/*.cruds", "/Observation/o1", question, DOCTOR)).status).toBe(200);
      edge.store.seen.length = 0;
    }
  });

  it("A11: one that cannot be read is for whoever may search everything its match URLs could ask about", async () => {
    const edge = await edgeWith({ interactions: ["patch", "batch"] });
    const patchText = JSON.stringify([{ op: "replace", path: "/subject/reference", value: "Patient?name=x" }]);
    const xml = { method: "PATCH", headers: { "content-type": "application/fhir+xml" }, body: "<Parameters/>" };
    const resource = {
      resourceType: "Binary",
      contentType: "application/json-patch+json",
      data: Buffer.from(patchText).toString("base64"),
    };
    const entry = [{ resource, request: { method: "PATCH", url: "Observation/o1" } }];
    const body = JSON.stringify({ resourceType: "Bundle", type: "batch", entry });
    const binary = { method: "POST", headers: FHIR, body };
    const alone = await edge.as("user/Observation.cruds", "/Observation/o1", xml, DOCTOR);
    expect([alone.status, codeOf(alone)]).toEqual([415, "smart-auth/media-type-unsupported"]);
    const inBatch = await edge.as("user/Observation.cruds", "/", binary, DOCTOR);
    expect(inBatch.text).toContain("smart-auth/media-type-unsupported");
    expect(edge.store.seen).toEqual([]);
    await edge.as("user/*.cruds", "/Observation/o1", xml, DOCTOR);
    await edge.as("user/*.cruds", "/", binary, DOCTOR);
    expect(edge.store.seen.length).toBe(2);
  });

  it("A1: tells nothing of what is stored without the right to read", async () => {
    const edge = await edgeWith();
    const [right, wrong] = [
      await patch(edge, "/Observation/o1", [{ op: "test", path: "/status", value: "final" }], "patient/*.u"),
      await patch(edge, "/Observation/o1", [{ op: "test", path: "/status", value: "other" }], "patient/*.u"),
    ];
    expect([right?.status, codeOf(right as never), right?.text]).toEqual([
      403,
      "smart-auth/patch-refused",
      wrong?.text,
    ]);
  });

  it("refuses XML, and a FHIRPath Patch for a store without versions, with bound rights only", async () => {
    const edge = await edgeWith();
    const question = { method: "PATCH", body: "<diff/>", headers: { "content-type": "application/xml-patch+xml" } };
    expect((await edge.as("patient/*.cruds", "/Observation/o1", question)).status).toBe(415);
    expect((await edge.as("user/*.cruds", "/Observation/o1", question, DOCTOR)).status).not.toBe(415);
    const bare = await edgeWith({ readStored: () => Promise.resolve(observation("o1", "p1", "weight")) });
    const amended = operation({ type: "replace", path: "Observation.status", value: "amended" });
    const answer = await patch(bare, "/Observation/o1", amended, undefined, FHIR);
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/stored-unknown"]);
  });

  it("of a store without versions, a JSON Patch applies to the content that was judged alone", async () => {
    const stored = observation("o1", "p1", "weight");
    const edge = await edgeWith({ readStored: async () => stored });
    expect((await patch(edge, "/Observation/o1", toAmended)).status).toBe(200);
    expect(edge.store.rows.get("Observation/o1")).toMatchObject({ status: "amended" });
    expect(edge.store.seen).toEqual(["PATCH /Observation/o1"]);
    // Somebody took the record to another patient after it was judged.
    edge.store.reset([observation("o1", "p2", "weight")]);
    expect((await patch(edge, "/Observation/o1", toAmended)).status).toBe(422);
    expect(edge.store.rows.get("Observation/o1")).toMatchObject({ status: "final" });
  });

  it("a FHIRPath Patch that selects by a function is judged by what it does", async () => {
    const edge = await edgeWith();
    const path = "Observation.code.coding.where(system='urn:c').code";
    const coded = await patch(
      edge,
      "/Observation/o1",
      operation({ type: "replace", path, value: "x" }),
      undefined,
      FHIR,
    );
    expect(coded.status).toBe(200);
    const moved = operation({
      type: "replace",
      path: "Observation.subject.where(reference='Patient/p1').reference",
      value: "Patient/p2",
    });
    expect(codeOf(await patch(edge, "/Observation/o1", moved, undefined, FHIR))).toBe(
      "smart-auth/resource-not-covered",
    );
  });

  it("holds the result to the filter of a granular scope", async () => {
    const edge = await edgeWith();
    const scope = "patient/Observation.rus?status=final";
    expect((await patch(edge, "/Observation/o1", toAmended, scope)).status).toBe(403);
    const noted: Json = [{ op: "add", path: "/note", value: [{ text: "x" }] }];
    expect((await patch(edge, "/Observation/o1", noted, scope)).status).toBe(200);
  });
});
