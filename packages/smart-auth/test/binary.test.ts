import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { codeOf, FHIR } from "./support/edge.ts";
import type { Stored } from "./support/fhir-store.ts";
import { AUDIENCE } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";
import { about, createStoreEdge, type StoreEdge } from "./support/store-edge.ts";

const binary = (id: string, context?: string): Stored =>
  ({
    resourceType: "Binary",
    id,
    contentType: "application/pdf",
    data: "c2VjcmV0",
    ...(context === undefined ? {} : { securityContext: { reference: context } }),
  }) as unknown as Stored;
const document = (id: string, patient: string, url: string): Stored =>
  ({
    resourceType: "DocumentReference",
    id,
    status: "current",
    subject: about(patient),
    content: [{ attachment: { url } }],
  }) as unknown as Stored;

const ROWS = [
  { resourceType: "Patient", id: "p1" },
  { resourceType: "Patient", id: "p2" },
  binary("own", "Patient/p1"),
  binary("other", "Patient/p2"),
  binary("dangling", "Patient/none"),
  binary("self", "Binary/self"),
  binary("away", "https://elsewhere.example/Patient/p1"),
  binary("named"),
  binary("absolute"),
  binary("foreign"),
  binary("both"),
  binary("alone"),
  document("d1", "p1", "Binary/named"),
  document("d2", "p1", `${AUDIENCE}/Binary/absolute`),
  document("d3", "p2", "Binary/foreign"),
  document("d4", "p1", "Binary/both"),
  document("d5", "p2", "Binary/both"),
];

describe.each(EXPRESS)("A13: Binary of a bound caller on %s", (_name, express) => {
  const edgeWith = (options = {}): Promise<StoreEdge> => createStoreEdge(express, ROWS, options);

  it.each(["own", "named", "absolute"])("%s is read through what speaks for it", async (id) => {
    const edge = await edgeWith();
    const answer = await edge.as("patient/*.rs", `/Binary/${id}`);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, expect.objectContaining({ data: "c2VjcmV0" })]);
    expect([...edge.context().patients]).toEqual(["p1"]);
  });

  it("A9: all others look like one that does not exist", async () => {
    const edge = await edgeWith();
    const absent = await edge.as("patient/*.rs", "/Binary/none");
    for (const id of ["other", "dangling", "self", "away", "foreign", "both", "alone"]) {
      const answer = await edge.as("patient/*.rs", `/Binary/${id}`);
      expect([id, answer.status, answer.text]).toEqual([id, 404, absent.text]);
    }
    expect(edge.store.seen).toEqual([]);
  });

  it.each([
    ["patient/DocumentReference.rs", 403],
    ["patient/Binary.s", 403],
    ["patient/Binary.r", 404],
    ["patient/Binary.r patient/DocumentReference.r", 200],
    ["patient/Binary.r patient/DocumentReference.r?status=superseded", 404],
    ["patient/Binary.r?_id=named patient/DocumentReference.r", 403],
  ])("%s answers %d: the Binary and what refers to it both need a scope", async (scope, status) => {
    const edge = await edgeWith();
    expect((await edge.as(scope, "/Binary/named")).status).toBe(status);
  });

  it("nobody gains a Binary by referring to it", async () => {
    const edge = await edgeWith();
    for (const url of ["Binary/alone", "Binary/foreign", `${AUDIENCE}/Binary/other`]) {
      const { id: _, ...planted } = document("x", "p1", url);
      const answer = await edge.as("patient/*.cruds", "/DocumentReference", {
        method: "POST",
        body: JSON.stringify(planted),
        headers: FHIR,
      });
      expect([url, answer.status, codeOf(answer)]).toEqual([url, 403, "smart-auth/resource-not-covered"]);
    }
    const { id: _, ...again } = document("x", "p1", "Binary/named");
    const fine = await edge.as("patient/*.cruds", "/DocumentReference", {
      method: "POST",
      body: JSON.stringify(again),
      headers: FHIR,
    });
    expect(fine.status).toBe(201);
  });

  it("bytes pass when the Binary was judged, unless the server says it is bound to something else", async () => {
    const edge = await edgeWith();
    let context: string | undefined;
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      if (context !== undefined) res.set("X-Security-Context", context);
      res.type("application/pdf").end("%PDF");
    });
    expect((await edge.as("patient/*.rs", "/Binary/own")).text).toBe("%PDF");
    context = "Patient/p2";
    const answer = await edge.as("patient/*.rs", "/Binary/own");
    expect([answer.status, codeOf(answer)]).toEqual([502, "smart-auth/answer-opaque"]);
  });

  it("does not send a version that is bound to something else than the one judged", async () => {
    const edge = await edgeWith({ readStored: ({ type, id }: { type: string; id: string }) => edgeRead(type, id) });
    const edgeRead = async (type: string, id: string): Promise<Json | undefined> =>
      type === "Binary" ? binary(id, "Patient/p1") : { resourceType: "Patient", id: "p1" };
    expect((await edge.as("patient/*.rs", "/Binary/other")).status).toBe(404);
  });

  it.each([
    ["reader", { readStored: () => Promise.reject(new Error("down")) }, 503],
    ["search", { searchStored: () => Promise.reject(new Error("down")) }, 503],
    ["hook", { findReferrers: () => Promise.reject(new Error("down")) }, 503],
    ["hook, with nonsense,", { findReferrers: () => Promise.resolve("DocumentReference" as never) }, 404],
  ])("F1: a failing %s refuses", async (_what, options, status) => {
    const edge = await edgeWith(options);
    const answer = await edge.as("patient/*.rs", "/Binary/named");
    expect([answer.status, edge.store.seen]).toEqual([status, []]);
  });

  it("a Binary that rides along in another answer does not pass: nothing spoke for it", async () => {
    const edge = await edgeWith();
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      const entry = [
        { resource: { resourceType: "Patient", id: "p1" }, search: { mode: "match" } },
        { resource: binary("own", "Patient/p1"), search: { mode: "include" } },
      ];
      res.type("application/fhir+json").json({ resourceType: "Bundle", type: "searchset", entry });
    });
    const answer = await edge.as("patient/*.rs", "/Patient?_include=*");
    expect([answer.status, answer.text.includes("c2VjcmV0"), answer.text.includes('"p1"')]).toEqual([200, false, true]);
  });

  it("without any hook a Binary stays closed, and a search never shows one", async () => {
    const none = { readStored: undefined as never, searchStored: undefined as never };
    const closed = await createStoreEdge(express, ROWS, none);
    expect((await closed.as("patient/*.rs", "/Binary/own")).status).toBe(404);
    const found = await closed.as("patient/*.rs", "/DocumentReference?_include=*");
    expect(found.text).not.toContain("c2VjcmV0");
    expect((await closed.as("patient/*.rs", "/Binary/own/_history/1")).status).toBe(404);
  });
});
