import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyDocument, RoutePolicy, SchemaPolicy } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { fhir, searchset } from "./support/backend.ts";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";

/** What an operator can say of how FHIR is judged, each key through the whole door, for staff who may write anything. */
const claims = { scope: "user/*.cruds", fhirUser: "Practitioner/p" };
const FHIR = { "content-type": "application/fhir+json" };
const QUESTIONNAIRE = { resourceType: "Questionnaire", status: "draft" };

const judging =
  (schema: SchemaPolicy, more: Partial<RoutePolicy> = {}) =>
  (policy: PolicyDocument): PolicyDocument => ({
    ...policy,
    routes: policy.routes.map((route) => ({ ...route, ...more, zone: "internal", schema })),
  });

const write = (edge: Edge, resource: object) =>
  edge.ask("/Questionnaire", { method: "POST", headers: FHIR, body: JSON.stringify(resource), claims });

async function outcome(edge: Edge, path: string): Promise<readonly [number, string | undefined]> {
  const { status, json } = await edge.ask(path, { claims });
  return [status, codeOf(json)];
}

describe("routes[].schema", () => {
  it("exampleFaults: what R4's examples leave out passes and is told, or is refused", async () => {
    const unlinked = { ...QUESTIONNAIRE, item: [{ type: "display" }] };
    const edge = await startEdge(judging({}));
    edge.backend.answer = (_req, res) => fhir(res, unlinked, 201);
    expect((await write(edge, unlinked)).status).toBe(201);
    expect(edge.events).toContainEqual(
      expect.objectContaining({
        level: "info",
        code: "gateway/schema-report",
        facts: expect.objectContaining({ expressions: "Questionnaire.item[0].linkId" }) as unknown,
      }),
    );
    const strict = await startEdge(judging({ exampleFaults: "refuse" }));
    const refused = await write(strict, unlinked);
    expect([refused.status, codeOf(refused.json)]).toEqual([400, "fhir-schema/resource-invalid"]);
    expect(strict.backend.asked).toEqual([]);
  });

  it("maxIncludes, maxChain, maxCount, extraParameters: a query is as wide as the route says", async () => {
    const edge = await startEdge(
      judging({ maxIncludes: 1, maxChain: 0, maxCount: 10 }, { extraParameters: ["birthsex"] }),
    );
    const invalid = [400, "fhir-schema/query-invalid"];
    expect(await outcome(edge, "/Observation?_include=Observation:subject&_include=Observation:encounter")).toEqual(
      invalid,
    );
    expect(await outcome(edge, "/Observation?patient.name=x")).toEqual(invalid);
    expect(await outcome(edge, "/Observation?_count=11")).toEqual(invalid);
    expect(edge.backend.asked).toEqual([]);
    expect((await outcome(edge, "/Patient?birthsex=F&_count=10"))[0]).toBe(200);
  });

  it("allowLenient: what R4 does not have is left out where it is allowed and asked for, and nothing else changes", async () => {
    const lenient = { ...FHIR, prefer: "handling=lenient" };
    const query = "/Observation?colour=blue&code=x&subject:nonsense=1";
    const own = { scope: "patient/*.rs", patient: "a", sub: "a", fhirUser: "Patient/a" };
    const strict = await startEdge(judging({}));
    expect((await strict.ask(query, { headers: lenient, claims })).status).toBe(400);
    const edge = await startEdge(judging({ allowLenient: true }));
    expect((await edge.ask(query, { headers: FHIR, claims })).status).toBe(400);
    expect(edge.backend.asked).toEqual([]);

    const answer = await edge.ask(query, { headers: lenient, claims });
    expect([answer.status, answer.headers.get("preference-applied")]).toEqual([200, "handling=lenient"]);
    expect(edge.backend.asked).toEqual(["GET /r4/Observation?code=x"]);
    // A2: an unknown parameter left out takes nothing of the narrowing with it.
    const bound = await startEdge((policy) => ({
      ...policy,
      routes: policy.routes.map((route) => ({ ...route, schema: { allowLenient: true } })),
    }));
    bound.backend.answer = (_req, res) => fhir(res, searchset());
    const form = { "content-type": "application/x-www-form-urlencoded", prefer: "handling=lenient" };
    const posted = { method: "POST", headers: form, body: "colour=blue&code=x" };
    expect((await bound.ask("/Observation?colour=blue&code=x", { headers: lenient, claims: own })).status).toBe(200);
    expect((await bound.ask("/Observation/_search", { ...posted, claims: own })).status).toBe(200);
    expect(bound.backend.asked).toEqual([
      "GET /r4/Observation?code=x&subject=Patient%2Fa",
      "POST /r4/Observation/_search",
    ]);
    expect(bound.backend.bodies.at(-1)).toBe("code=x&subject=Patient%2Fa");
    // What is known is judged as ever.
    expect((await bound.ask("/Observation?colour=blue&_sort=nonsense", { headers: lenient, claims: own })).status).toBe(
      400,
    );
  });

  it("maxIssues: a refusal tells as many findings as it says", async () => {
    const item = Array.from({ length: 5 }, () => ({ linkId: "1", type: "nonsense" }));
    const told = async (schema: SchemaPolicy): Promise<number> => {
      const { json } = await write(await startEdge(judging(schema)), { ...QUESTIONNAIRE, item });
      return (json as { issue: unknown[] }).issue.length;
    };
    expect(await told({})).toBe(5);
    expect(await told({ maxIssues: 2 })).toBe(2);
  });

  it("profiles: an absent must-support element is told, an element demanded is refused with 422", async () => {
    const folder = await mkdtemp(join(tmpdir(), "profiles-"));
    const file = join(folder, "titled.json");
    const url = "http://example.org/StructureDefinition/titled";
    const element = [
      { id: "Questionnaire", path: "Questionnaire", min: 0, max: "*" },
      { id: "Questionnaire.title", path: "Questionnaire.title", min: 1, max: "1" },
      { id: "Questionnaire.purpose", path: "Questionnaire.purpose", min: 0, max: "1", mustSupport: true },
    ];
    const definition = { resourceType: "StructureDefinition", url, type: "Questionnaire", derivation: "constraint" };
    await writeFile(file, JSON.stringify({ ...definition, snapshot: { element } }));
    const edge = await startEdge(judging({ profiles: { files: [file], required: { Questionnaire: [url] } } }));
    edge.backend.answer = (_req, res) => fhir(res, QUESTIONNAIRE, 201);
    const untitled = await write(edge, QUESTIONNAIRE);
    expect([untitled.status, codeOf(untitled.json)]).toEqual([422, "fhir-schema/profile-not-met"]);
    expect((await write(edge, { ...QUESTIONNAIRE, title: "x" })).status).toBe(201);
    expect(edge.events).toContainEqual(
      expect.objectContaining({
        level: "info",
        facts: expect.objectContaining({ kind: "profile", expressions: "Questionnaire.purpose" }) as unknown,
      }),
    );
    await rm(folder, { recursive: true });
  });

  it("operationDefinitions: the inputs of a server's own operation are judged by its definition", async () => {
    const folder = await mkdtemp(join(tmpdir(), "operations-"));
    const file = join(folder, "recall.json");
    const lot = { name: "lot", use: "in", min: 1, max: "1", type: "string" };
    const definition = { resourceType: "OperationDefinition", code: "recall", type: true, resource: ["Device"] };
    await writeFile(file, JSON.stringify({ ...definition, parameter: [lot] }));
    const edge = await startEdge(judging({ operationDefinitions: [file] }, { operations: ["recall"] }));
    const recall = async (name: string) => {
      const body = JSON.stringify({ resourceType: "Parameters", parameter: [{ name, valueString: "x" }] });
      const { status, json } = await edge.ask("/Device/$recall", { method: "POST", headers: FHIR, body, claims });
      return [status, codeOf(json)];
    };
    expect(await recall("lots")).toEqual([400, "fhir-schema/operation-invalid"]);
    expect(edge.backend.asked).toEqual([]);
    edge.backend.answer = (_req, res) => fhir(res, { resourceType: "Parameters" });
    expect((await recall("lot"))[0]).toBe(200);
    const missing = startEdge(judging({ operationDefinitions: [join(folder, "none.json")] }));
    await expect(missing).rejects.toThrow(/routes\[0\]\.schema\.operationDefinitions\[0\]/);
    await rm(folder, { recursive: true });
  });

  it("nothing of it: media types, charsets, sizes and Prefer are judged alike on every route", async () => {
    const edge = await startEdge(judging({ resources: "report", queries: "report" }));
    const post = async (
      headers: Record<string, string>,
      body = JSON.stringify(QUESTIONNAIRE),
    ): Promise<readonly unknown[]> => {
      const { status, json } = await edge.ask("/Questionnaire", { method: "POST", headers, body, claims });
      return [status, codeOf(json)];
    };
    expect(await post({ "content-type": "application/fhir+xml" })).toEqual([415, "smart-auth/media-type-unsupported"]);
    expect((await post({ "content-type": "application/fhir+json; charset=latin1" }))[0]).toBe(415);
    expect(await post({ ...FHIR, accept: "application/fhir+xml" })).toEqual([406, "fhir-schema/not-acceptable"]);
    expect((await post(FHIR, " ".repeat(1_100_000)))[0]).toBe(413);
    // A token's reach is judged on every parameter, so that the gateway never leaves one out.
    const lenient = await edge.ask("/Patient?nonsense=1", { headers: { prefer: "handling=lenient" }, claims });
    expect([lenient.status, codeOf(lenient.json)]).toEqual([400, "smart-auth/parameter-unknown"]);
    expect(edge.backend.asked).toEqual([]);
  });
});
