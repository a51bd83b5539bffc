import { describe, expect, it } from "vitest";
import { SECRET } from "./support/backend.ts";
import { codeOf, createEdge, DOCTOR, type Edge, FHIR, idsOf, SYSTEM } from "./support/edge.ts";
import { AUDIENCE } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

const own = { resourceType: "Observation", id: "o1", subject: { reference: "Patient/p1" } };
const foreign = { resourceType: "Observation", id: "o2", subject: { reference: "Patient/p2" }, note: SECRET };

describe.each(EXPRESS)("containers on %s", (_name, express) => {
  const edgeWith = (): Promise<Edge> =>
    createEdge(express, {
      operations: ["everything", "lookup"],
      interactions: ["read", "search-type", "search-system", "history-instance", "history-type", "history-system"],
    });
  const answerWith = (edge: Edge, body: object): void => {
    edge.backend.next = (_req, res) => void res.json(body);
  };

  it("A7: judges the answer of an operation on the own patient", async () => {
    const edge = await edgeWith();
    answerWith(edge, {
      resourceType: "Bundle",
      type: "searchset",
      total: 3,
      entry: [{ resource: { resourceType: "Patient", id: "p1" } }, { resource: own }, { resource: foreign }],
    });
    const answer = await edge.as("patient/*.rs", "/Patient/p1/$everything");
    expect(idsOf(answer)).toEqual(["p1", "o1"]);
    expect(answer.text).not.toContain(SECRET);
    expect(answer.text).not.toContain("total");
  });

  it("A7: needs reading and searching for every type of an operation's answer", async () => {
    const edge = await edgeWith();
    const entry = [{ resource: { resourceType: "Patient", id: "p1" } }, { resource: own }];
    answerWith(edge, { resourceType: "Bundle", type: "searchset", entry });
    expect(idsOf(await edge.as("patient/Patient.rs patient/Observation.s", "/Patient/p1/$everything"))).toEqual(["p1"]);
  });

  it.each([
    ["on another patient", "/Patient/p2/$everything", 404, "smart-auth/not-found"],
    ["on all patients", "/Patient/$everything", 403, "smart-auth/search-refused"],
    ["on one resource", "/Observation/o1/$lookup", 403, "smart-auth/search-refused"],
    ["on the system", "/$lookup", 403, "smart-auth/search-refused"],
    [
      "with parameters that reach further",
      "/Patient/p1/$everything?_has:Observation:subject:code=x",
      403,
      "smart-auth/search-refused",
    ],
    ["that is not registered", "/Patient/p1/$export", 403, "smart-auth/operation-not-allowed"],
  ])("refuses an operation %s to a bound caller", async (_what, path, status, code) => {
    const edge = await edgeWith();
    const answer = await edge.as("patient/*.rs", path);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("lets an unbound caller run a registered operation, with a body or without", async () => {
    const edge = await edgeWith();
    answerWith(edge, { resourceType: "Parameters", parameter: [{ name: "name", valueString: "x" }] });
    const answer = await edge.as("system/*.rs", "/CodeSystem/$lookup?code=x", {}, SYSTEM);
    expect(JSON.parse(answer.text)).toMatchObject({ parameter: [{ name: "name", valueString: "x" }] });
    answerWith(edge, { resourceType: "Parameters" });
    const body = JSON.stringify({ resourceType: "Parameters" });
    const posted = await edge.as("system/*.rs", "/CodeSystem/$lookup", { method: "POST", headers: FHIR, body }, SYSTEM);
    expect(posted.status).toBe(200);
  });

  it("leaves of Parameters only the judged resources", async () => {
    const edge = await edgeWith();
    answerWith(edge, {
      resourceType: "Parameters",
      id: SECRET,
      parameter: [
        { name: "return", resource: own },
        { name: "return", resource: foreign },
        { name: "note", valueString: SECRET },
        {
          name: "group",
          valueString: SECRET,
          part: [
            { name: "inner", resource: own },
            { name: "inner", resource: foreign },
          ],
        },
        {
          name: "list",
          resource: { resourceType: "Bundle", type: "collection", entry: [{ resource: foreign }, { resource: own }] },
        },
      ],
    });
    const answer = await edge.as("patient/*.rs", "/Patient/p1/$everything");
    expect(JSON.parse(answer.text)).toEqual({
      resourceType: "Parameters",
      parameter: [
        { name: "return", resource: own },
        { name: "group", part: [{ name: "inner", resource: own }] },
        { name: "list", resource: { resourceType: "Bundle", type: "collection", entry: [{ resource: own }] } },
      ],
    });
  });

  it.each([
    ["a contained Patient", { resourceType: "Patient", id: "x", name: SECRET }],
    ["a contained record of another", { ...foreign, id: "x" }],
    ["a contained record of nobody", { resourceType: "Condition", id: "x", note: SECRET }],
    ["a contained Bundle", { resourceType: "Bundle", id: "x", entry: [{ resource: foreign }] }],
    ["a contained reference to another", { resourceType: "Device", id: "x", patient: { reference: "Patient/p2" } }],
    ["contained inside contained", { resourceType: "Device", id: "x", contained: [foreign] }],
    ["something contained that is no resource", { note: SECRET }],
  ])("does not give a resource with %s", async (_what, contained) => {
    const edge = await edgeWith();
    answerWith(edge, { ...own, contained: [contained] });
    const answer = await edge.as("patient/*.rs", "/Observation/o1");
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain(SECRET);
  });

  it("gives a resource with a contained one that is about nobody", async () => {
    const edge = await edgeWith();
    answerWith(edge, {
      ...own,
      contained: [
        { resourceType: "Medication", id: "m" },
        { ...own, id: "part" },
      ],
    });
    expect((await edge.as("patient/*.rs", "/Observation/o1")).status).toBe(200);
  });

  it("A6: gives of a history the versions that were the patient's, and no deletions", async () => {
    const edge = await edgeWith();
    const version = (resource: object) => ({
      fullUrl: "http://upstream.internal/fhir/Observation/o1",
      resource,
      request: { method: "PUT", url: `Observation?identifier=${SECRET}` },
      response: { status: "200", etag: 'W/"2"', location: "http://upstream.internal/fhir/Observation/o1/_history/2" },
    });
    const body = {
      resourceType: "Bundle",
      type: "history",
      total: 3,
      entry: [
        version(own),
        version({ ...foreign, id: "o1" }),
        { request: { method: "DELETE", url: `Observation/${SECRET}` } },
      ],
    };
    answerWith(edge, body);
    const answer = await edge.as("patient/*.rs", "/Observation/o1/_history");
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "history",
      entry: [
        {
          fullUrl: `${AUDIENCE}/Observation/o1`,
          resource: own,
          request: { method: "PUT", url: "Observation/o1" },
          response: { status: "200", etag: 'W/"2"', location: `${AUDIENCE}/Observation/o1/_history/2` },
        },
      ],
    });
    expect(answer.text).not.toContain(SECRET);
    expect(answer.text).not.toContain("total");
  });

  it("A9: the history of another's record looks like none", async () => {
    const edge = await edgeWith();
    answerWith(edge, { resourceType: "Bundle", type: "history", entry: [{ resource: foreign }] });
    const other = await edge.as("patient/*.rs", "/Observation/o2/_history");
    edge.backend.next = (_req, res) => void res.status(404).end();
    const absent = await edge.as("patient/*.rs", "/Observation/xx/_history");
    expect([other.status, codeOf(other), other.text]).toEqual([404, "smart-auth/not-found", absent.text]);
  });

  it("A1, A12: an operation's parameters in a body reach no further than in the URL", async () => {
    const edge = await edgeWith();
    const asking = (name: string, valueString = "x") => ({
      method: "POST",
      headers: FHIR,
      body: JSON.stringify({ resourceType: "Parameters", parameter: [{ name, valueString }] }),
    });
    for (const [scope, path, claims] of [
      ["patient/*.rs", "/Patient/p1/$everything", {}],
      ["user/Patient.rs", "/Patient/$everything", DOCTOR],
    ] as const) {
      for (const name of ["_has:Observation:subject:code", "link.name", "_filter"]) {
        const answer = await edge.as(scope, path, asking(name), claims);
        expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/search-refused"]);
      }
      expect(edge.backend.seen).toEqual([]);
      answerWith(edge, { resourceType: "Bundle", type: "searchset" });
      expect((await edge.as(scope, path, asking("_since", "2024"), claims)).status).toBe(200);
      edge.backend.seen.length = 0;
    }
  });

  it.each(["_elements", "_elements:exclude", "_summary", "_total"])(
    "A12: %s in a body is refused to who is bound, as it is taken out of a URL",
    async (name) => {
      const edge = await edgeWith();
      const body = JSON.stringify({ resourceType: "Parameters", parameter: [{ name, valueString: "subject" }] });
      const question = { method: "POST", headers: FHIR, body };
      const answer = await edge.as("patient/*.rs", "/Patient/p1/$everything", question);
      expect([answer.status, codeOf(answer), edge.backend.seen]).toEqual([403, "smart-auth/search-refused", []]);
      answerWith(edge, { resourceType: "Bundle", type: "searchset" });
      expect((await edge.as("user/*.rs", "/Patient/p1/$everything", question, DOCTOR)).status).toBe(200);
    },
  );

  it.each(["/Observation/o1/_history", "/Observation/_history", "/_history"])(
    "S12: %s is asked of the handler for whole resources, which alone show what is withheld",
    async (path) => {
      const edge = await createEdge(express, {
        interactions: ["history-instance", "history-type", "history-system"],
        consent: { categories: [{ name: "hiv", codes: ["urn:c|hiv"] }] },
        conditions: [{ id: "r1", effect: "withhold", categories: ["hiv"], when: {} }],
      });
      answerWith(edge, { resourceType: "Bundle", type: "history" });
      await edge.as("user/*.rs", `${path}?_count=2&_elements=note&_summary=text`, {}, DOCTOR);
      expect(edge.backend.seen.map(({ url }) => url)).toEqual([`${path}?_count=2`]);
    },
  );

  it("forwards an operation's parameters as they were named", async () => {
    const edge = await edgeWith();
    answerWith(edge, { resourceType: "Bundle", type: "searchset" });
    await edge.as("patient/*.rs", "/Patient/p1/$everything??start=2024&_elements=a&_elements:exclude=b");
    expect(edge.backend.seen[0]?.url).toBe("/Patient/p1/$everything?%3Fstart=2024");
  });

  it.each([
    "?_type=Observation,Condition",
    "?_type=Observation",
    "/Patient/p1/*",
    "/Observation/_history",
    "/_history",
  ])("A9: %s is refused to who is bound, whose pages would tell how much is hidden", async (path) => {
    const edge = await edgeWith();
    for (const scope of ["patient/*.rs", "patient/*.rs user/Observation.rs?status=final"]) {
      const answer = await edge.as(scope, path);
      expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/search-refused"]);
    }
    expect(edge.backend.seen).toEqual([]);
  });

  it("judges every type of a search over all of them", async () => {
    const edge = await edgeWith();
    const found = await edge.as("user/*.rs", "?_type=Observation,Condition", {}, DOCTOR);
    expect(idsOf(found)).toContain("o2");
    const scopes = "user/Observation.rs user/Condition.rs";
    const judged = await edge.as(scopes, "?_type=Observation,Condition", {}, DOCTOR);
    expect(idsOf(judged).sort()).toEqual(["c1", "c2", "o1", "o2", "o3", "o4"]);
    expect((await edge.as("patient/Observation.rs", "?_type=Observation,Condition")).status).toBe(403);
    expect((await edge.as("patient/Observation.rs", "?_lastUpdated=2024")).status).toBe(403);
  });

  it("drops lines of NDJSON that are not covered", async () => {
    const edge = await edgeWith();
    edge.backend.next = (_req, res) => {
      res.setHeader("content-type", "application/fhir+ndjson");
      res.end(`${JSON.stringify(own)}\n${JSON.stringify(foreign)}\n${JSON.stringify(own)}\n`);
    };
    const answer = await edge.as("patient/*.rs", "/Patient/p1/$everything");
    expect(answer.text).toBe(`${JSON.stringify(own)}\n${JSON.stringify(own)}\n`);
  });

  it("judges what is inside a stored Bundle", async () => {
    const edge = await edgeWith();
    const bundle = {
      resourceType: "Bundle",
      id: "b",
      type: "collection",
      entry: [{ resource: own }, { resource: { resourceType: "Task", id: "t" } }],
    };
    answerWith(edge, bundle);
    const answer = await edge.as("user/Bundle.r user/Observation.r", "/Bundle/b", {}, DOCTOR);
    expect(idsOf(answer)).toEqual(["o1"]);
    expect((await edge.as("patient/*.rs", "/Bundle/b")).status).toBe(403);
  });
});
