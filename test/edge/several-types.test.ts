import { expect, it } from "vitest";
import { type Json, searchset } from "./support/backend.ts";
import { type Edge, startEdge } from "./support/edge.ts";
import { searchingBackend } from "./support/searching-backend.ts";

const idsOf = (json: unknown): unknown[] =>
  ((json as { entry?: { resource: { id: string } }[] }).entry ?? []).map(({ resource }) => resource.id);
const nextOf = (json: unknown): string | undefined =>
  (json as { link?: { relation: string; url: string }[] }).link?.find(({ relation }) => relation === "next")?.url;

async function pagesOf(edge: Edge, path: string, scope: string): Promise<unknown[]> {
  const pages: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer = await edge.ask(next.replace(/^.*\/fhir(?=[/?])/, ""), { claims: { scope } });
    pages.push([answer.status, ...idsOf(answer.json)]);
    next = nextOf(answer.json);
  }
  return pages;
}

it("A9: a search of several types is asked type by type of whoever holds each, narrowed, page after page", async () => {
  const edge = await startEdge((policy) => ({
    ...policy,
    routes: policy.routes.map((route) => ({ ...route, backends: [{ types: ["Condition"], upstream: "ehr" }] })),
  }));
  const stored = [...edge.backend.resources.values(), condition("ca", "a"), condition("cb", "b")];
  edge.backend.answer = searchingBackend(() => stored as never);
  expect(await pagesOf(edge, "?_type=Observation,Condition", "patient/*.rs")).toEqual([
    [200, "oa"],
    [200, "ca"],
  ]);
  expect(edge.backend.asked).toEqual([
    "GET /r4/Observation?subject=Patient%2Fa",
    "GET /r4/Condition?patient=Patient%2Fa",
  ]);
  expect(edge.records.map(({ interaction, resourceType, patients }) => [interaction, resourceType, patients])).toEqual([
    ["search-type", "Observation", ["a"]],
    ["search-type", "Condition", ["a"]],
  ]);
});

it("A9: and shows nothing of others where the server ignores what it is asked", async () => {
  const edge = await startEdge();
  const all = [...edge.backend.resources.values(), condition("cb", "b")];
  edge.backend.answer = (_req, res) => {
    res.writeHead(200, { "Content-Type": "application/fhir+json" }).end(JSON.stringify(searchset(...all)));
  };
  const answer = await edge.ask("/?_type=Observation,Condition", { claims: { scope: "patient/*.rs" } });
  // A sealed link may hold any letters.
  expect(answer.text.replace(/_sealed=[\w-]+/g, "")).not.toMatch(/ob|cb|Patient\/b/);
});

const condition = (id: string, of: string): Json => ({
  resourceType: "Condition",
  id,
  subject: { reference: `Patient/${of}` },
});
