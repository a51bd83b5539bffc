import { assertNoPhi } from "@wardline/phi-redact";
import { describe, expect, it } from "vitest";
import { patient } from "./support/backend.ts";
import { type Edge, startEdge } from "./support/edge.ts";

/** Nobody real: each of them is found when it stands where it does not belong. */
const PERSON = {
  ...(patient("a") as object),
  name: [{ family: "Featherstonehaugh", given: ["Perpetua"] }],
  birthDate: "1961-07-19",
  identifier: [{ system: "http://hl7.org/fhir/sid/us-ssn", value: "536-22-1234" }],
  telecom: [{ system: "email", value: "perpetua@example.org" }],
};
const TEXTS = ["1961-07-19", "536-22-1234", "perpetua@example.org"];

async function busy(): Promise<Edge> {
  const edge = await startEdge((policy) => ({ ...policy, admin: { port: 0 }, identity: {} }));
  edge.backend.resources.set("Patient/a", PERSON as never);
  for (const path of [
    "/Patient/a",
    "/Patient?name=Perpetua",
    "/Patient?birthdate=1961-07-19",
    "/Patient/536-22-1234",
  ]) {
    await edge.ask(path);
  }
  expect((await edge.ask("/Patient/a")).text).toContain("Featherstonehaugh");
  return edge;
}

/** Addresses of machines belong in headers; ids of requests look like serial numbers. */
const ENTITIES = ["ssn", "mbi", "mrn", "email", "phone", "birth-date", "address", "name", "card"] as const;

describe("A14: no PHI where the edge speaks of requests", () => {
  const clean = (records: Iterable<unknown>): void =>
    assertNoPhi(records, { entities: ENTITIES, resources: [PERSON], texts: TEXTS });

  it("the check itself finds each of them", () => {
    for (const text of [...TEXTS, "Featherstonehaugh"]) expect(() => clean([{ label: `x ${text} y` }])).toThrow();
  });

  it("in the labels of the metrics", async () => {
    const edge = await busy();
    const metrics = await (await fetch(`http://127.0.0.1:${edge.adminPort}/metrics`)).text();
    const labels = [...metrics.matchAll(/\{([^}]*)\}/g)].map(([, text = ""]) => text);
    expect(labels.length).toBeGreaterThan(20);
    clean(labels);
  });

  it("in the headers the upstream is told who calls by", async () => {
    const edge = await busy();
    expect(edge.backend.headers.some((headers) => headers["x-client-id"] === "app")).toBe(true);
    clean(edge.backend.headers.map(({ authorization: _token, ...headers }) => headers));
  });

  it("in what operators are told, and in the records of requests", async () => {
    const edge = await busy();
    expect(edge.records.length).toBeGreaterThan(4);
    clean([...edge.events, ...edge.records]);
  });
});
