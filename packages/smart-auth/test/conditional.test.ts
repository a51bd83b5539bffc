import { describe, expect, it } from "vitest";
import { codeOf, DOCTOR, FHIR, SYSTEM } from "./support/edge.ts";
import { EXPRESS } from "./support/servers.ts";
import { about, createStoreEdge, observation, type StoreEdge } from "./support/store-edge.ts";

const ROWS = [
  { resourceType: "Patient", id: "p1" },
  { resourceType: "Patient", id: "p2" },
  observation("o1", "p1", "weight"),
  observation("o2", "p1", "glucose"),
  observation("o3", "p1", "glucose"),
  observation("h1", "p2", "weight"),
  observation("h2", "p2", "hidden"),
];
const ALL = "patient/*.cruds";
const body = (code: string, more: object = {}): string => {
  const { id: _, ...rest } = observation("x", "p1", code);
  return JSON.stringify({ ...rest, ...more });
};

const parsed = (code: string): object => JSON.parse(body(code)) as object;

describe.each(EXPRESS)("conditional interactions of a bound caller on %s (A11)", (_name, express) => {
  const edgeWith = (options = {}): Promise<StoreEdge> => createStoreEdge(express, ROWS, options);
  const send = (edge: StoreEdge, method: string, path: string, text?: string, headers = {}, scope = ALL, claims = {}) =>
    edge.as(
      scope,
      path,
      { method, headers: { ...FHIR, ...headers }, ...(text === undefined ? {} : { body: text }) },
      claims,
    );

  it("A9: a condition that only another's record meets selects nothing: the create is plain", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "POST", "/Observation", body("hidden"), { "if-none-exist": "code=hidden" });
    expect(answer.status).toBe(201);
    expect(edge.store.seen).toEqual(["POST /Observation"]);
  });

  it("a condition that an own record meets is forwarded as that record, and nothing is created", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "POST", "/Observation", body("weight"), { "if-none-exist": "code=weight" });
    expect([answer.status, (JSON.parse(answer.text) as { id: string }).id]).toEqual([200, "o1"]);
    expect(edge.store.seen).toEqual(["POST /Observation _id=o1"]);
    expect(edge.store.rows.size).toBe(ROWS.length);
  });

  it.each([
    ["POST", "/Observation", { "if-none-exist": "code=glucose" }],
    ["PUT", "/Observation?code=glucose", {}],
    ["DELETE", "/Observation?code=glucose", {}],
    ["PATCH", "/Observation?code=glucose", { "content-type": "application/json-patch+json" }],
  ])("%s %s that selects several answers 412", async (method, path, headers) => {
    const edge = await edgeWith();
    const text = method === "DELETE" ? undefined : method === "PATCH" ? "[]" : body("glucose");
    const answer = await send(edge, method, path, text, headers);
    expect([answer.status, codeOf(answer)]).toEqual([412, "smart-auth/condition-ambiguous"]);
    expect(edge.store.seen).toEqual([]);
  });

  it("an update is made on the one own match, at the version that was judged", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "PUT", "/Observation?code=weight", body("weight", { status: "amended" }));
    expect(answer.status).toBe(200);
    expect(edge.store.seen).toEqual(['PUT /Observation/o1 W/"1"']);
    expect(edge.store.rows.get("Observation/o1")?.["status"]).toBe("amended");
    expect(edge.store.rows.get("Observation/h1")?.["status"]).toBe("final");
  });

  it("an update that selects nothing creates, with the right to create", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "PUT", "/Observation?code=hidden", body("hidden"));
    expect([answer.status, edge.store.seen]).toEqual([201, ["POST /Observation"]]);
    const narrow = await send(edge, "PUT", "/Observation?code=other", body("other"), {}, "patient/*.rus");
    expect([narrow.status, codeOf(narrow)]).toEqual([403, "smart-auth/scope-insufficient"]);
    expect(edge.store.seen.length).toBe(1);
  });

  it("update-as-create: an id of the client's choice is not created, whether hidden or absent", async () => {
    const edge = await edgeWith();
    const refused = await Promise.all(
      [
        send(edge, "PUT", "/Observation?code=hidden", body("hidden", { id: "h2" })),
        send(edge, "PUT", "/Observation?code=never", body("never", { id: "n1" })),
        send(edge, "PUT", "/Observation/h2", body("hidden", { id: "h2" })),
        send(edge, "PUT", "/Observation/n1", body("never", { id: "n1" })),
      ].map(async (asked) => (await asked).text),
    );
    expect(new Set(refused).size).toBe(1);
    expect(edge.store.seen).toEqual([]);
  });

  it("update-as-create: the right to update is none to create, with unbound rights either", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "PUT", "/Observation/n1", body("x", { id: "n1" }), {}, "user/*.rus", DOCTOR);
    expect([answer.status, edge.store.seen]).toEqual([404, []]);
    const full = await send(edge, "PUT", "/Observation/n1", body("x", { id: "n1" }), {}, "user/*.cruds", DOCTOR);
    expect([full.status, edge.store.seen.length]).toEqual([201, 1]);
  });

  it("a delete reaches the one own match only", async () => {
    const edge = await edgeWith();
    expect((await send(edge, "DELETE", "/Observation?code=weight")).status).toBe(204);
    expect(edge.store.seen).toEqual(['DELETE /Observation/o1 W/"1"']);
    const [hidden, absent] = [
      await send(edge, "DELETE", "/Observation?code=hidden"),
      await send(edge, "DELETE", "/Observation?code=never"),
    ];
    expect([hidden?.status, hidden?.text]).toEqual([404, absent?.text]);
  });

  it.each([
    [
      "a chain into hidden data",
      "code=weight&subject:Patient.general-practitioner.name=x",
      403,
      "smart-auth/search-refused",
    ],
    ["_has", "_has:Observation:has-member:code=hidden", 403, "smart-auth/search-refused"],
    ["an unknown parameter", "code=weight&colour=red", 400, "smart-auth/parameter-unknown"],
  ])("A1: refuses a condition with %s", async (_what, condition, status, code) => {
    const edge = await edgeWith();
    const answer = await send(edge, "DELETE", `/Observation?${condition}`);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(edge.store.seen).toEqual([]);
  });

  it("a match URL in the body is refused beside a condition too", async () => {
    const edge = await edgeWith();
    const text = body("x", { hasMember: [{ reference: "Observation?code=hidden" }] });
    const answer = await send(edge, "POST", "/Observation", text, { "if-none-exist": "code=x" });
    expect([answer.status, codeOf(answer), edge.store.seen]).toEqual([403, "smart-auth/search-refused", []]);
  });

  it("a condition needs the right to search", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "POST", "/Observation", body("x"), { "if-none-exist": "code=x" }, "patient/*.c");
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/scope-insufficient"]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("down")), 503, "smart-auth/stored-unavailable"],
    ["answers no Bundle", () => Promise.resolve({ resourceType: "Patient" }), 502, "smart-auth/answer-not-fhir"],
    ["answers null", () => Promise.resolve(null), 502, "smart-auth/answer-not-fhir"],
  ])("F1: the search %s", async (_what, searchStored, status, code) => {
    const edge = await edgeWith({ searchStored });
    const answer = await send(edge, "DELETE", "/Observation?code=weight");
    expect([answer.status, codeOf(answer), edge.store.seen]).toEqual([status, code, []]);
  });

  it("does not believe a store that ignores the narrowing", async () => {
    const everything = {
      resourceType: "Bundle",
      type: "searchset",
      entry: [{ resource: observation("h1", "p2", "weight") }, { resource: observation("o1", "p1", "weight") }],
    };
    const edge = await edgeWith({ searchStored: () => Promise.resolve(everything) });
    expect((await send(edge, "DELETE", "/Observation?code=weight")).status).toBe(204);
    expect(edge.store.seen).toEqual(['DELETE /Observation/o1 W/"1"']);
  });

  it("If-Match of another version answers 412 here; of the judged one, or *, it is held", async () => {
    const edge = await edgeWith();
    const text = body("weight", { id: "o1" });
    const other = await send(edge, "PUT", "/Observation/o1", text, { "if-match": 'W/"9"' });
    expect([other.status, codeOf(other), edge.store.seen]).toEqual([412, "smart-auth/version-conflict", []]);
    await send(edge, "PUT", "/Observation/o1", text, { "if-match": "*" });
    await send(edge, "PUT", "/Observation/o1", text, { "if-match": 'W/"1", W/"2"' });
    expect(edge.store.seen).toEqual(['PUT /Observation/o1 W/"1"', 'PUT /Observation/o1 W/"2"']);
  });

  it.each(["batch", "transaction"])("are resolved in a %s, entry by entry", async (type) => {
    const edge = await edgeWith();
    const entry = [
      {
        resource: parsed("weight"),
        request: { method: "POST", url: "Observation", ifNoneExist: "code=weight" },
      },
      {
        resource: parsed("hidden"),
        request: { method: "POST", url: "Observation", ifNoneExist: "code=hidden" },
      },
      { resource: parsed("weight"), request: { method: "PUT", url: "Observation?code=weight" } },
      { resource: parsed("other"), request: { method: "PUT", url: "Observation?code=other" } },
    ];
    let forwarded: unknown;
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((req, res) => {
      forwarded = (req.body as { entry: { request: unknown }[] }).entry.map(({ request }) => request);
      edge.store.handle(req, res);
    });
    const answer = await send(edge, "POST", "/", JSON.stringify({ resourceType: "Bundle", type, entry }));
    expect(answer.status).toBe(200);
    expect(forwarded).toEqual([
      { method: "POST", url: "Observation", ifNoneExist: "_id=o1" },
      { method: "POST", url: "Observation" },
      { method: "PUT", url: "Observation/o1", ifMatch: 'W/"1"' },
      { method: "POST", url: "Observation" },
    ]);
    const shown = JSON.parse(answer.text) as { entry: { response: { status: string } }[] };
    expect(shown.entry.map(({ response }) => response.status)).toEqual(["200", "201", "200", "201"]);
  });

  it("unbound callers keep their conditions as they are", async () => {
    const edge = await edgeWith();
    await send(edge, "DELETE", "/Observation?code=hidden", undefined, {}, "system/*.cruds", SYSTEM);
    expect(edge.store.seen).toEqual(["DELETE /Observation?code=hidden"]);
  });

  it("A9: .c without read answers as with return=minimal, in a batch too", async () => {
    const edge = await edgeWith();
    const single = await send(edge, "POST", "/Observation", body("x"), {}, "patient/Observation.c");
    expect([single.status, single.text, single.headers["etag"]]).toEqual([201, "", undefined]);
    const entry = [{ resource: parsed("x"), request: { method: "POST", url: "Observation" } }];
    const bundle = JSON.stringify({ resourceType: "Bundle", type: "batch", entry });
    const batch = await send(edge, "POST", "/", bundle, {}, "patient/Observation.c");
    expect(JSON.parse(batch.text)).toMatchObject({ entry: [{ response: { status: "201" } }] });
    expect(batch.text).not.toContain('"resource"');
  });

  it("If-None-Match on a write is refused: R4 has none, and dropping it would overwrite", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "PUT", "/Observation/o1", body("x", { id: "o1" }), { "if-none-match": "*" });
    expect([answer.status, codeOf(answer), edge.store.seen]).toEqual([400, "smart-auth/interaction-unknown", []]);
  });

  it("A9: If-None-Match tells nothing of another's record", async () => {
    const edge = await edgeWith();
    const probe = (path: string, tag: string) => edge.as("patient/*.rs", path, { headers: { "if-none-match": tag } });
    expect((await probe("/Observation/o1", 'W/"1"')).status).toBe(304);
    const [hit, star, absent] = [
      await probe("/Observation/h1", 'W/"1"'),
      await probe("/Observation/h1", "*"),
      await probe("/Observation/none", "*"),
    ];
    expect([hit?.status, hit?.text, star?.text]).toEqual([404, absent?.text, absent?.text]);
  });

  it("A9: what was deleted and what never was look alike to a bound caller", async () => {
    const edge = await edgeWith();
    await send(edge, "DELETE", "/Observation/h1", undefined, {}, "system/*.cruds", SYSTEM);
    const [gone, never] = [await edge.as(ALL, "/Observation/h1"), await edge.as(ALL, "/Observation/none")];
    expect([gone?.status, gone?.text]).toEqual([404, never?.text]);
    const known = await edge.as("system/*.rs", "/Observation/h1", {}, SYSTEM);
    expect(known.status).toBe(410);
  });

  it("moving the subject is refused in either direction", async () => {
    const edge = await edgeWith();
    const taken = { ...observation("h1", "p1", "weight") };
    const given = { ...observation("o1", "p2", "weight"), subject: about("p2") };
    expect((await send(edge, "PUT", "/Observation/h1", JSON.stringify(taken))).status).toBe(404);
    expect((await send(edge, "PUT", "/Observation/o1", JSON.stringify(given))).status).toBe(403);
    expect(edge.store.seen).toEqual([]);
  });
});
