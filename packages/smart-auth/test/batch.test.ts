import type { AccessRecord } from "@wardline/policy-types";
import { addTransform, type Json, KEEP } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { outcome, SECRET, STORE, UPSTREAM } from "./support/backend.ts";
import { codeOf, createEdge, DOCTOR, type Edge, FHIR } from "./support/edge.ts";
import { AUDIENCE } from "./support/issuer.ts";
import { EXPRESS, type RawAnswer } from "./support/servers.ts";

const INTERACTIONS = ["read", "search-type", "create", "update", "delete", "batch", "transaction"] as const;
const readStored = ({ type, id }: { type: string; id: string }): Promise<Json | undefined> =>
  Promise.resolve(STORE.find((one) => one.resourceType === type && one.id === id) as Json | undefined);

const get = (url: string, more: object = {}) => ({ request: { method: "GET", url, ...more } });
const post = (patient: string) => ({
  request: { method: "POST", url: "Observation" },
  resource: { resourceType: "Observation", subject: { reference: `Patient/${patient}` } },
});
const own = { resourceType: "Observation", id: "o1", subject: { reference: "Patient/p1" } };
const foreign = { resourceType: "Observation", id: "o2", subject: { reference: "Patient/p2" }, note: SECRET };

interface Entry {
  readonly resource?: {
    readonly id?: string;
    readonly total?: number;
    readonly entry?: readonly { resource: { id: string } }[];
  };
  readonly response: { readonly status: string; readonly location?: string; readonly outcome?: object };
}
const entriesOf = (answer: RawAnswer): readonly Entry[] => (JSON.parse(answer.text) as { entry: Entry[] }).entry;

describe.each(EXPRESS)("A11: batches on %s", (_name, express) => {
  const edgeWith = (): Promise<Edge> => createEdge(express, { interactions: INTERACTIONS, readStored });
  const send = (edge: Edge, type: string, entry: readonly object[], scope = "patient/*.cruds", claims = {}) =>
    edge.as(
      scope,
      "",
      { method: "POST", headers: FHIR, body: JSON.stringify({ resourceType: "Bundle", type, entry }) },
      claims,
    );
  const answerWith = (edge: Edge, type: string, entry: readonly object[]): void => {
    edge.backend.next = (_req, res) => void res.json({ resourceType: "Bundle", type, entry });
  };

  it("are forwarded without what is refused, narrowed, and answered at every place", async () => {
    const edge = await edgeWith();
    answerWith(edge, "batch-response", [
      { resource: own, response: { status: "200 OK", etag: 'W/"1"' } },
      {
        resource: {
          resourceType: "Bundle",
          type: "searchset",
          total: 2,
          entry: [{ resource: own }, { resource: foreign }],
        },
        response: { status: "200" },
      },
      { response: { status: "201 Created", location: `${UPSTREAM}/Observation/new1/_history/1` } },
      { resource: foreign, response: { status: "200", etag: 'W/"7"' } },
      { response: { status: "404", outcome: outcome(SECRET) } },
      { response: { status: "422 Bad", outcome: outcome(SECRET) } },
    ]);
    const answer = await send(edge, "batch", [
      get("Patient/p2"),
      get("Observation/o1", { ifNoneMatch: 'W/"1"' }),
      get("Observation?status=final&_total=accurate"),
      get("Task/t1"),
      post("p1"),
      post("p2"),
      get("Observation/o2"),
      get("Observation/absent"),
      get("nowhere/1"),
      post("p1"),
    ]);
    expect(edge.backend.seen[0]?.body).toMatchObject({
      entry: [
        get("Observation/o1"),
        get("Observation?status=final&subject=Patient%2Fp1"),
        post("p1"),
        get("Observation/o2"),
        get("Observation/absent"),
        post("p1"),
      ],
    });
    expect(JSON.stringify(edge.backend.seen[0]?.body)).not.toContain("ifNoneMatch");
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(SECRET);
    const entries = entriesOf(answer);
    expect(entries.map(({ response }) => response.status)).toEqual([
      "404 Not Found",
      "200",
      "200",
      "403 Forbidden",
      "201",
      "403 Forbidden",
      "404 Not Found",
      "404 Not Found",
      "400 Bad Request",
      "422",
    ]);
    expect(entries[2]?.resource?.entry?.map(({ resource }) => resource.id)).toEqual(["o1"]);
    expect(entries[2]?.resource?.total).toBe(undefined);
    expect(entries[4]?.response.location).toBe(`${AUDIENCE}/Observation/new1/_history/1`);
    // A9: foreign before the handler, foreign after it, and absent look alike.
    expect(entries[6]).toEqual(entries[0]);
    expect(entries[7]).toEqual(entries[0]);
  });

  it("A9: HEAD in them is judged as GET, and answered without the resource", async () => {
    const edge = await edgeWith();
    const [head, none] = [{ status: "200", etag: 'W/"7"', lastModified: "2026-01-02T03:04:05Z" }, { status: "404" }];
    answerWith(edge, "batch-response", [
      { resource: own, response: head },
      { resource: foreign, response: head },
      { response: none },
      { response: head },
    ]);
    const paths = ["Observation/o1", "Observation/o2", "Observation/absent", "Observation/o2"];
    const answer = await send(
      edge,
      "batch",
      paths.map((url) => ({ request: { method: "HEAD", url, ifNoneMatch: 'W/"7"' } })),
    );
    expect(edge.backend.seen[0]?.body).toMatchObject({ entry: paths.map((url) => get(url)) });
    const [shown, hidden, absent, untold] = entriesOf(answer);
    expect(shown).toEqual({ response: head });
    expect(hidden).toMatchObject({ response: { status: "404 Not Found" } });
    // The last is of a server that answers without the resource.
    expect([absent, untold]).toEqual([hidden, hidden]);
    await expect.poll(() => edge.records.length).toBe(1);
    // A15: it was about that patient, and nothing was sent.
    expect([edge.records[0]?.patients, edge.records[0]?.delivered]).toEqual([["p1"], []]);
  });

  it("A9: whoever withholds behind them sees the resource that HEAD asks about", async () => {
    const edge = await edgeWith();
    const judged: Json[] = [];
    edge.backend.next = (req, res) => {
      const json = (body: Json) => {
        judged.push(body);
        return KEEP;
      };
      addTransform(res, { name: "withholding", stage: "redact", json });
      const { method } = (req.body as { entry: { request: { method: string } }[] }).entry[0]?.request ?? {};
      const answered = { ...(method === "HEAD" ? {} : { resource: foreign }), response: { status: "200" } };
      res.json({ resourceType: "Bundle", type: "batch-response", entry: [answered] });
    };
    const entry = [{ request: { method: "HEAD", url: "Observation/o2" } }];
    const answer = await send(edge, "batch", entry, "user/*.rs", DOCTOR);
    expect(judged).toMatchObject([{ entry: [{ resource: { id: "o2" } }] }]);
    expect(entriesOf(answer)).toEqual([{ response: { status: "200" } }]);
  });

  it("A15: are recorded entry by entry, as what was asked and what came of it", async () => {
    const edge = await edgeWith();
    answerWith(edge, "batch-response", [
      { resource: own, response: { status: "200 OK" } },
      { resource: foreign, response: { status: "200" } },
      { response: { status: "201 Created", location: `${UPSTREAM}/Observation/new1/_history/1` } },
    ]);
    await send(edge, "batch", [
      get("Observation/o1"),
      get("Observation/o2"),
      post("p1"),
      get("Patient/p2"),
      get("Patient?_has:Observation:subject:code=x"),
      get("Patient/p1/$secret-name"),
      { request: { method: "secret-name", url: "Patient/p1" } },
    ]);
    const ended = ({ entries = [] }: AccessRecord) =>
      entries.map(({ method, interaction, resource, status, problem, patients, delivered = patients }) =>
        [method, interaction, resource, status, problem, patients.join(), delivered.join()].map((one) => one ?? "-"),
      );
    await expect.poll(() => edge.records.length).toBe(1);
    expect(edge.records.flatMap(ended)).toEqual([
      ["GET", "read", "Observation/o1", 200, "-", "p1", "p1"],
      ["GET", "read", "Observation/o2", 404, "smart-auth/not-found", "", ""],
      ["POST", "create", "Observation/new1", 201, "-", "p1", ""],
      ["GET", "read", "Patient/p2", 404, "smart-auth/not-found", "p2", ""],
      ["GET", "search-type", "-", 403, "smart-auth/search-refused", "", ""],
      ["GET", "operation", "Patient/p1", 403, "smart-auth/operation-not-allowed", "p1", ""],
      ["", "unknown", "-", 400, "smart-auth/interaction-unknown", "", ""],
    ]);
    expect(JSON.stringify(edge.records)).not.toContain("secret-name");
  });

  it("A15: whose answer is refused may have been carried out, and are recorded each", async () => {
    const edge = await edgeWith();
    answerWith(edge, "batch-response", []);
    await send(edge, "batch", [post("p1"), get("Patient/p2")]);
    await expect.poll(() => edge.records.length).toBe(1);
    const entries = edge.records[0]?.entries ?? [];
    expect(entries.map(({ interaction, outcome, problem, status }) => [interaction, outcome, problem, status])).toEqual(
      [
        ["create", "deny", "smart-auth/answer-not-fhir", 502],
        ["read", "deny", "smart-auth/not-found", 404],
      ],
    );
  });

  it("A15: refused whole, they are recorded as one refusal", async () => {
    const edge = await edgeWith();
    await send(edge, "transaction", [post("p1"), get("Patient/p2")]);
    await expect.poll(() => edge.records.length).toBe(1);
    expect(edge.records[0]).toMatchObject({ outcome: "deny", problem: "smart-auth/transaction-refused" });
    expect(edge.records[0]?.entries).toBe(undefined);
  });

  it("are answered without the handler when no entry is left", async () => {
    const edge = await edgeWith();
    const answer = await send(edge, "batch", [get("Patient/p2"), post("p2")]);
    expect(answer.status).toBe(200);
    expect(entriesOf(answer).map(({ response }) => response.status)).toEqual(["404 Not Found", "403 Forbidden"]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("stay as they are when nothing has to change", async () => {
    const edge = await edgeWith();
    answerWith(edge, "batch-response", [{ resource: foreign, response: { status: "200 OK" } }]);
    const answer = await send(edge, "batch", [get("Observation/o2")], "user/*.rs", DOCTOR);
    expect(entriesOf(answer)[0]?.resource?.id).toBe("o2");
    expect(edge.context().rewritten).toBe(undefined);
  });

  it("are refused when the answer is not theirs", async () => {
    const edge = await edgeWith();
    for (const [type, entry] of [
      ["batch-response", []],
      [
        "batch-response",
        [
          { resource: own, response: { status: "200" } },
          { resource: own, response: { status: "200" } },
        ],
      ],
      ["searchset", [{ resource: own }]],
    ] as const) {
      answerWith(edge, type, entry);
      const answer = await send(edge, "batch", [get("Observation/o1")]);
      expect([answer.status, codeOf(answer)]).toEqual([502, "smart-auth/answer-not-fhir"]);
    }
  });

  it("may not have more than 100 entries, nor batches inside", async () => {
    const edge = await edgeWith();
    const long = await send(
      edge,
      "batch",
      Array.from({ length: 101 }, () => get("Observation/o1")),
    );
    expect([long.status, codeOf(long)]).toEqual([413, "smart-auth/bundle-too-long"]);
    const nested = {
      request: { method: "POST", url: "" },
      resource: { resourceType: "Bundle", type: "batch", entry: [] },
    };
    expect(entriesOf(await send(edge, "batch", [nested])).map(({ response }) => response.status)).toEqual([
      "400 Bad Request",
    ]);
    expect(edge.backend.seen).toEqual([]);
  });

  it("transactions are refused whole for one refused entry, without telling which", async () => {
    const edge = await edgeWith();
    for (const bad of [
      post("p2"),
      get("Patient/p2"),
      get("Observation?_has:Observation:subject:code=x"),
      get("Task/t1"),
    ]) {
      const answer = await send(edge, "transaction", [post("p1"), bad]);
      expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/transaction-refused"]);
    }
    expect(edge.backend.seen).toEqual([]);
  });

  it("transactions may not smuggle a record in by a urn", async () => {
    const edge = await edgeWith();
    const urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
    const entry = {
      fullUrl: urn,
      request: { method: "POST", url: "Observation" },
      resource: { resourceType: "Observation", subject: { reference: urn } },
    };
    const answer = await send(edge, "transaction", [entry]);
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/transaction-refused"]);
  });

  it("transactions pass when every entry does, and a failure's words are withheld", async () => {
    const edge = await edgeWith();
    answerWith(edge, "transaction-response", [
      { resource: own, response: { status: "201", location: "Observation/o1" } },
    ]);
    const answer = await send(edge, "transaction", [post("p1")], "patient/Observation.c");
    expect(answer.status).toBe(200);
    expect(entriesOf(answer)).toEqual([{ response: { status: "201", location: `${AUDIENCE}/Observation/o1` } }]);
    edge.backend.next = (_req, res) => void res.status(409).json(outcome(SECRET));
    const failed = await send(edge, "transaction", [post("p1")]);
    expect(failed.status).toBe(409);
    expect(failed.text).not.toContain(SECRET);
  });
});
