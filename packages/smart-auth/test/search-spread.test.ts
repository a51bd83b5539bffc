import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf, DOCTOR, FHIR, idsOf } from "./support/edge.ts";
import type { Stored } from "./support/fhir-store.ts";
import { EXPRESS } from "./support/servers.ts";
import { about, createStoreEdge, linkOf, observation, type StoreEdge } from "./support/store-edge.ts";

const condition = (id: string, patient: string): Stored =>
  ({ resourceType: "Condition", id, subject: about(patient) }) as unknown as Stored;
const ROWS: readonly Stored[] = [
  { resourceType: "Patient", id: "p1" },
  { resourceType: "Patient", id: "p2" },
  observation("h1", "p2", "weight"),
  observation("a1", "p1", "weight"),
  observation("a2", "p1", "glucose"),
  condition("c1", "p1"),
  condition("h2", "p2"),
  observation("a3", "p1", "weight"),
  condition("c2", "p1"),
];
const BOTH = "/?_type=Observation,Condition";
const REFUSED = [403, "smart-auth/search-refused"];

describe.each(EXPRESS)("a search of several types by who is bound, on %s", (_name, express) => {
  const edgeWith = (options = {}, rows = ROWS): Promise<StoreEdge> => createStoreEdge(express, rows, options);

  async function follow(edge: StoreEdge, first: string, scope: string): Promise<string[][]> {
    const pages: string[][] = [];
    for (let path: string | undefined = first; path !== undefined && pages.length < 60; ) {
      const answer = await edge.as(scope, path);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).not.toHaveProperty("total");
      pages.push(idsOf(answer));
      path = linkOf(answer.text);
    }
    return pages;
  }

  it("A9: is asked type by type, narrowed, and its pages follow each other", async () => {
    const edge = await edgeWith();
    expect(await follow(edge, `${BOTH}&_count=2`, "patient/*.rs")).toEqual([["a1", "a2"], ["a3"], ["c1", "c2"]]);
    const [first = "", , third = ""] = edge.store.seen;
    expect([first, third]).toEqual([
      "GET /Observation?_count=2&subject=Patient%2Fp1",
      "GET /Condition?_count=2&patient=Patient%2Fp1",
    ]);
  });

  it("is the same with and without a slash behind the base", async () => {
    const edge = await edgeWith();
    expect((await follow(edge, BOTH.slice(1), "patient/*.rs")).flat()).toEqual(["a1", "a2", "a3", "c1", "c2"]);
  });

  it("takes the criteria along, and asks within the compartment it was asked in", async () => {
    const edge = await edgeWith();
    expect(await follow(edge, `${BOTH}&_id=a2,c1,h1`, "patient/*.rs")).toEqual([["a2"], ["c1"]]);
    await edge.as("patient/*.rs", "/Patient/p1/*?_type=Observation,Condition");
    expect(edge.store.seen.at(-1)).toBe("GET /Patient/p1/Observation?subject=Patient%2Fp1");
    const other = await edge.as("patient/*.rs", "/Patient/p2/*?_type=Observation,Condition");
    expect([other.status, codeOf(other)]).toEqual([404, "smart-auth/not-found"]);
  });

  it("keeps each type under its own scopes", async () => {
    const edge = await edgeWith();
    const mixed = "patient/Observation.rs?code=urn:c|weight patient/Condition.rs";
    expect((await follow(edge, BOTH, mixed)).flat()).toEqual(["a1", "a3", "c1", "c2"]);
    const one = await edge.as("patient/Observation.rs", BOTH);
    expect([one.status, codeOf(one)]).toEqual([403, "smart-auth/scope-insufficient"]);
  });

  it("shows each once where a type takes several searches itself", async () => {
    const edge = await edgeWith();
    const several = "patient/Observation.rs?code=urn:c|weight patient/Observation.rs?status=final patient/Condition.rs";
    expect((await follow(edge, `${BOTH}&_count=1`, several)).flat().sort()).toEqual(["a1", "a2", "a3", "c1", "c2"]);
  });

  it("goes on in a batch, too", async () => {
    const edge = await edgeWith();
    const entry = [{ request: { method: "GET", url: "?_type=Observation,Condition" } }];
    const body = JSON.stringify({ resourceType: "Bundle", type: "batch", entry });
    const answer = await edge.as("patient/*.rs", "/", { method: "POST", headers: FHIR, body });
    const { entry: [first] = [] } = JSON.parse(answer.text) as { entry?: { resource: object }[] };
    const link = linkOf(JSON.stringify(first?.resource)) ?? "";
    expect((await follow(edge, link, "patient/*.rs")).flat()).toEqual(["c1", "c2"]);
  });

  it.each([
    ["without its types named", "/?_lastUpdated=gt2020"],
    ["of a whole compartment", "/Patient/p1/*"],
    ["with an order across them", `${BOTH}&_sort=_lastUpdated`],
    ["with a chain", `${BOTH}&patient.name=x`],
    ["by _has", `${BOTH}&_has:Provenance:target:_id=1`],
    ["of a count", `${BOTH}&_summary=count`],
  ])("A1, A9: is refused %s", async (_what, path) => {
    const edge = await edgeWith();
    const answer = await edge.as("patient/*.rs", path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(edge.store.seen).toEqual([]);
  });

  it("A9: is refused where pages cannot be sealed, and where it would take too many searches", async () => {
    const plain = await edgeWith({ pageLinks: undefined });
    const unsealed = await plain.as("patient/*.rs", BOTH);
    expect([unsealed.status, codeOf(unsealed)]).toEqual(REFUSED);
    const edge = await edgeWith();
    const codes = Array.from({ length: 9 }, (_, at) => `patient/Observation.rs?code=${at}&status=final`);
    const wide = [
      ...codes,
      ...codes.map((scope) => scope.replace("Observation", "Condition").replace("&status=final", "&severity=a")),
    ];
    const many = await edge.as(wide.join(" "), BOTH);
    expect([many.status, codeOf(many)]).toEqual(REFUSED);
  });

  it("A3: its pages are worthless to somebody else", async () => {
    const edge = await edgeWith();
    const link = linkOf((await edge.as("patient/*.rs", BOTH)).text) ?? "";
    expect((await edge.as("patient/*.rs", link, {}, { patient: "p2" })).status).toBe(410);
    expect((await edge.as("user/*.rs", link, {}, DOCTOR)).status).toBe(410);
  });

  it("A9: whatever others' records there are, its pages are the same", async () => {
    const edge = await edgeWith();
    const pagesBeside = async (hidden: readonly boolean[]): Promise<string[][]> => {
      edge.store.reset([
        ...ROWS.slice(3, 5),
        ...hidden.map((isCondition, at) =>
          isCondition ? condition(`x${at}`, "p2") : observation(`x${at}`, "p2", "weight"),
        ),
        ...ROWS.slice(5).filter(({ id }) => id !== "h2"),
      ]);
      return follow(edge, `${BOTH}&_count=2`, "patient/*.rs");
    };
    const alone = await pagesBeside([]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 6 }), async (hidden) => {
        expect(await pagesBeside(hidden)).toEqual(alone);
      }),
      { numRuns: 12 },
    );
  });
});

describe.each(EXPRESS)("the history of all Patients by who is bound to one, on %s", (_name, express) => {
  const INTERACTIONS = ["history-instance", "history-type", "history-system"] as const;
  const edgeWith = (): Promise<StoreEdge> => createStoreEdge(express, ROWS, { interactions: INTERACTIONS });

  it("is the history of that one", async () => {
    const edge = await edgeWith();
    await edge.as("patient/Patient.rs", "/Patient/_history?_count=5&_since=2020-01-01T00:00:00Z");
    expect(edge.store.seen).toEqual(["GET /Patient/p1/_history?_count=5&_since=2020-01-01T00%3A00%3A00Z"]);
  });

  it.each([
    ["of another type", "patient/*.rs", "/Observation/_history"],
    ["of everything", "patient/*.rs", "/_history"],
    ["of Patients by a filter", "patient/Patient.rs?gender=female", "/Patient/_history"],
  ])("R4 http.html#history: has no such question %s, and is refused (A9)", async (_what, scope, path) => {
    const edge = await edgeWith();
    const answer = await edge.as(scope, path);
    expect([answer.status, codeOf(answer)]).toEqual(REFUSED);
    expect(edge.store.seen).toEqual([]);
  });

  it("needs the right to search, as every history of many", async () => {
    const answer = await (await edgeWith()).as("patient/Patient.r", "/Patient/_history");
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/scope-insufficient"]);
  });
});
