import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithRedis, startRedis } from "@wardline-tools/test-kit";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Answer, Caller } from "../src/call.ts";
import { type Edge, startEdge } from "../src/edge.ts";
import { below, callPatiently, kickOff, placeOf, waitFor } from "../src/exports.ts";

const PATIENCE = { timeout: 15_000, interval: 100 };

// Clients of exports wait as long as they are told, which is seconds.
vi.setConfig({ testTimeout: 60_000 });

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
      // Counters may be away for a moment on a busy machine.
      if (level === "error" && code === "gateway/bulk-export") errors.push(code);
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
    callPatiently(edge.bases[at] + path, caller, { method });

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
    for (let sent = 0; sent < 32; sent += 1) {
      answers.push((await ask(sent % 2 === 0 ? "one" : "two", "/Patient/nobody", registry)).status);
    }
    expect(answers.slice(0, 30).includes(429)).toBe(false);
    expect(answers.slice(30)).toEqual([429, 429]);
    expect((await ask("one", "/Observation/nobody", university)).status).not.toBe(429);
  });

  it("an organisation's share of exports is one share; another's do not wait for it", async () => {
    await kickOff(edge.bases.one, registry);
    await kickOff(edge.bases.two, registry);
    for (const at of ["one", "two"] as const) {
      expect(seen(await kickOff(edge.bases[at], registry))).toEqual([429, "tiered-throttle/async-too-many"]);
    }
    expect((await kickOff(edge.bases.two, university)).status).toBe(202);
  });

  it("what one instance began, the other answers for: status, files, the end", async () => {
    edge.ehr.release();
    const place = placeOf(await kickOff(edge.bases.one, registry));
    const { output } = await waitFor(edge.bases.two, registry, place);
    const [patients] = output;
    for (const at of ["one", "two"] as const) {
      expect((await ask(at, below(patients?.url ?? ""), registry)).text).toContain('"id":"ben"');
      expect(seen(await ask(at, below(patients?.url ?? ""), university))).toEqual([404, "smart-auth/not-found"]);
    }
    expect((await ask("two", place, registry, "DELETE")).status).toBe(202);
    expect((await ask("one", place, registry)).status).toBe(404);
  });

  it("F15: an export whose instance ends is begun anew by the other, and is its caller's still", async () => {
    const place = placeOf(await kickOff(edge.bases.one, registry));
    await expect.poll(edge.ehr.begun, PATIENCE).toBe(1);
    await edge.stop("one");
    edge.ehr.release();
    expect((await waitFor(edge.bases.two, registry, place)).output).toHaveLength(2);
    expect(edge.ehr.begun()).toBe(2);
    expect(seen(await ask("two", place, university))).toEqual([404, "smart-auth/not-found"]);
    expect(errors).toEqual([]);
  });

  it("what is cancelled is gone, and the EHR is told", async () => {
    const place = placeOf(await kickOff(edge.bases.one, registry));
    await expect.poll(edge.ehr.begun, PATIENCE).toBe(1);
    expect((await ask("two", place, registry, "DELETE")).status).toBe(202);
    expect((await ask("one", place, registry)).status).toBe(404);
    await expect.poll(edge.ehr.ended, PATIENCE).toBe(1);
  });
});
