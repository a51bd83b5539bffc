import { describe, expect, it } from "vitest";
import { fhir, type Json, observation, searchset } from "./support/backend.ts";
import { codeOf, startEdge } from "./support/edge.ts";

const outcome = ({ status, json }: { status: number; json: unknown }): unknown => [status, codeOf(json)];

describe("A4: scopes of several contexts in one token, at the assembled edge", () => {
  it.each<[string, string, string, number, string | undefined]>([
    ["the launch patient's", "patient/Observation.rs user/Condition.rs", "/Observation/oa", 200, undefined],
    [
      "`user/` lends the launch patient nothing",
      "patient/Condition.rs user/Observation.rs",
      "/Observation/oa",
      403,
      "smart-auth/scope-insufficient",
    ],
    [
      "`system/` counts for nobody with a patient",
      "patient/Observation.rs system/*.rs",
      "/Patient/b",
      403,
      "smart-auth/scope-insufficient",
    ],
    [
      "`system/` widens no search",
      "patient/Observation.s system/*.cruds",
      "/Observation/ob",
      403,
      "smart-auth/scope-insufficient",
    ],
  ])("%s", async (_what, scope, path, status, code) => {
    const edge = await startEdge();
    expect(outcome(await edge.ask(path, { claims: { scope } }))).toEqual([status, code]);
    expect(edge.backend.asked).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe("A6: the version that is delivered is judged, at the assembled edge", () => {
  it("a version that was about another patient looks like none", async () => {
    const edge = await startEdge();
    edge.backend.answer = (req, res) =>
      req.url?.endsWith("/_history/1") ? fhir(res, observation("oa", "b")) : fhir(res, observation("oa", "a"));
    expect((await edge.ask("/Observation/oa/_history/2")).status).toBe(200);
    expect(outcome(await edge.ask("/Observation/oa/_history/1"))).toEqual([404, "smart-auth/not-found"]);
  });

  it("of a history only the own versions are given", async () => {
    const edge = await startEdge();
    const versions = [observation("oa", "b"), observation("oa", "a")];
    edge.backend.answer = (_req, res) =>
      fhir(res, { ...(searchset(...versions) as Record<string, Json>), type: "history" });
    const got = await edge.ask("/Observation/oa/_history");
    expect([got.status, (got.json as { entry: unknown[] }).entry.length]).toEqual([200, 1]);
    expect(got.text).not.toContain("Patient/b");
  });
});

describe("A13: bytes, at the assembled edge", () => {
  const binary = (id: string, of: string): Json => ({
    resourceType: "Binary",
    id,
    contentType: "text/plain",
    securityContext: { reference: `Patient/${of}` },
    data: "c2VjcmV0",
  });

  it("are given to whom what speaks for them is about, and to nobody else", async () => {
    const edge = await startEdge();
    edge.backend.resources.set("Binary/ba", binary("ba", "a")).set("Binary/bb", binary("bb", "b"));
    const own = await edge.ask("/Binary/ba");
    expect([own.status, own.json]).toEqual([200, binary("ba", "a")]);
    const [foreign, absent] = [await edge.ask("/Binary/bb"), await edge.ask("/Binary/none")];
    expect(outcome(foreign)).toEqual([404, "smart-auth/not-found"]);
    expect([foreign.status, foreign.text]).toEqual([absent.status, absent.text]);
    expect(foreign.text).not.toContain("c2VjcmV0");
  });
});
