import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Answer, type Caller, call } from "../src/call.ts";
import { type Edge, startEdge } from "../src/edge.ts";
import { below, kickOff, placeOf, waitFor } from "../src/exports.ts";

const PATIENCE = { timeout: 15_000, interval: 100 };

describeWithRedis("two instances over one Redis", () => {
  let edge: Edge;
  let folder: string;
  let registry: Caller;
  let university: Caller;
  const errors: string[] = [];
  beforeEach(async () => {
    const redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), "bulk-export-"));
    errors.length = 0;
    const onEvent = ({ level, code }: { readonly level: string; readonly code: string }): void => {
      if (level === "error") errors.push(code);
    };
    edge = await startEdge({ folder, anyPorts: true, redisUrl: redis.url, onEvent });
    registry = await edge.systems.registry.signIn(edge.audience);
    university = await edge.systems.university.signIn(edge.audience);
  });
  afterEach(async () => {
    await edge.close();
    await rm(folder, { recursive: true, force: true });
  });

  const seen = ({ status, code }: Answer): unknown[] => [status, code];
  const ask = (at: keyof Edge["bases"], path: string, caller: Caller, method: "GET" | "DELETE" = "GET") =>
    call(edge.bases[at] + path, caller, { method });

  it("A7, A8: an export is judged line by line for the caller who began it", async () => {
    edge.ehr.release();
    const place = placeOf(await kickOff(edge.bases.one, registry));
    const { output } = await waitFor(edge.bases.one, registry, place);
    expect(output.map(({ type }) => type)).toEqual(["Patient", "Observation"]);
    const texts = await Promise.all(output.map(async ({ url }) => (await ask("one", below(url), registry)).text));
    expect(texts.join("")).toMatch(/"id":"anna".*"id":"ben".*"anna-pulse".*"ben-pulse"/s);
    expect(texts.join("")).not.toMatch(/MRN|Condition/);
    expect(errors).toEqual([]);
  });

  it("A8, A9: to everybody else it looks like none, whichever instance is asked", async () => {
    const place = placeOf(await kickOff(edge.bases.one, registry));
    for (const at of ["one", "two"] as const) {
      for (const method of ["GET", "DELETE"] as const) {
        expect(seen(await ask(at, place, university, method))).toEqual([404, "smart-auth/not-found"]);
      }
    }
    expect((await ask("one", place, registry)).status).toBe(202);
  });

  it("A5: the university, approved for observations only, gets no patients", async () => {
    edge.ehr.release();
    expect(seen(await kickOff(edge.bases.two, university, "/$export?_type=Patient"))).toEqual([
      403,
      "smart-auth/scope-insufficient",
    ]);
    const place = placeOf(await kickOff(edge.bases.two, university));
    const { output } = await waitFor(edge.bases.two, university, place);
    expect(output.map(({ type }) => type)).toEqual(["Observation"]);
  });

  it("a window is one window, whichever instance is asked", async () => {
    const answers: number[] = [];
    for (let sent = 0; sent < 62; sent += 1) {
      answers.push((await ask(sent % 2 === 0 ? "one" : "two", "/Patient/nobody", registry)).status);
    }
    expect(answers.slice(0, 60).includes(429)).toBe(false);
    expect(answers.slice(60)).toEqual([429, 429]);
    expect((await ask("one", "/Observation/nobody", university)).status).not.toBe(429);
  });

  it("one organisation's exports do not keep another's waiting", async () => {
    await kickOff(edge.bases.one, registry);
    await kickOff(edge.bases.one, registry);
    expect(seen(await kickOff(edge.bases.one, registry))).toEqual([429, "tiered-throttle/async-too-many"]);
    expect((await kickOff(edge.bases.one, university)).status).toBe(202);
  });

  it("what is cancelled is gone, and the EHR is told", async () => {
    const place = placeOf(await kickOff(edge.bases.one, registry));
    await expect.poll(edge.ehr.begun, PATIENCE).toBe(1);
    expect((await ask("one", place, registry, "DELETE")).status).toBe(202);
    expect((await ask("one", place, registry)).status).toBe(404);
    await expect.poll(edge.ehr.ended, PATIENCE).toBe(1);
  });
});
