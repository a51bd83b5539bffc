import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway, type Gateway } from "@wardline/gateway";
import type { PolicyDocument } from "@wardline/policy-types";
import { afterEach, expect, it } from "vitest";
import { codeOf, type Edge, startEdge } from "./support/edge.ts";
import { exportByItself } from "./support/exporting.ts";

const BASE = "http://127.0.0.1/fhir";
const SYSTEM = {
  patient: undefined,
  sub: "app-1",
  client_id: "app-1",
  scope: "system/Patient.rs system/Observation.rs",
};
const OTHER = { ...SYSTEM, sub: "app-2", client_id: "app-2" };
const LATER = { Prefer: "respond-async" };
const PATIENCE = { timeout: 15_000, interval: 100 };

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of opened.splice(0).reverse()) await end();
});

interface Exporting {
  readonly edge: Edge;
  readonly policy: PolicyDocument;
  readonly folder: string;
  /** Exports of the upstream's end from now on. */
  readonly release: () => void;
  /** What the upstream was asked that begins with this. */
  readonly asked: (what: string) => readonly string[];
}

async function start(change: (policy: PolicyDocument) => PolicyDocument = (policy) => policy): Promise<Exporting> {
  const folder = await mkdtemp(join(tmpdir(), "edge-exports-"));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  let policy: PolicyDocument | undefined;
  const edge = await startEdge((given) => {
    const routes = given.routes.map((route) => ({ ...route, operations: ["export"] }));
    policy = change({ ...given, routes, bulkExport: { folder, perOrganisation: 2 } });
    return policy;
  });
  if (policy === undefined) throw new Error("no policy");
  const { release } = exportByItself(edge);
  const asked = (what: string): readonly string[] => edge.backend.asked.filter((one) => one.startsWith(what));
  return { edge, policy, folder, release, asked };
}

type Asking = (path: string, init?: Parameters<Edge["ask"]>[1]) => ReturnType<Edge["ask"]>;
const asSystem =
  ({ edge }: Exporting): Asking =>
  (path, init = {}) =>
    edge.ask(path, { claims: SYSTEM, ...init });

/** Path of the job below the FHIR base. */
async function kickOff(ask: Asking, path = "/$export"): Promise<string> {
  const answer = await ask(path, { headers: LATER });
  expect([answer.status, answer.text]).toEqual([202, ""]);
  const place = answer.headers.get("content-location") ?? "";
  expect(place).toMatch(/^http:\/\/127\.0\.0\.1\/fhir\/_export\/[A-Za-z0-9_-]{32}$/);
  return place.slice(BASE.length);
}

function idsIn(file: string): readonly string[] {
  const lines = file.split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { id: string }).id);
}

async function ended(ask: Asking, job: string): Promise<Awaited<ReturnType<Asking>>> {
  await expect.poll(async () => (await ask(job)).status, PATIENCE).toBe(200);
  return ask(job);
}

it("an export is answered later, and each line of its files is judged when it is fetched", async () => {
  const world = await start();
  const ask = asSystem(world);
  const job = await kickOff(ask);
  const early = await ask(job);
  expect([early.status, early.headers.get("retry-after")]).toEqual([202, "5"]);
  expect(early.headers.get("x-progress")).toMatch(/^(?:queued|in progress|\d+%)$/);
  const impatient = await ask(job);
  expect([impatient.status, codeOf(impatient.json)]).toEqual([429, "tiered-throttle/async-too-soon"]);
  world.release();

  const { json } = await ended(ask, job);
  const manifest = json as { request: string; output: { type: string; url: string }[] };
  expect(manifest).toMatchObject({ transactionTime: "2026-01-02T03:04:05Z", request: `${BASE}/$export` });
  expect(manifest.output.map(({ type }) => type)).toEqual(["Patient", "Observation"]);
  const texts = await Promise.all(
    manifest.output.map(async ({ url }) => {
      expect(url.startsWith(`${BASE}${job}/`)).toBe(true);
      const file = await ask(url.slice(BASE.length));
      expect([file.status, file.headers.get("content-type")]).toEqual([200, "application/fhir+ndjson"]);
      return file.text;
    }),
  );
  expect(texts.map(idsIn)).toEqual([["a", "b"], ["oa"]]);
  expect(world.asked("GET /r4/$export")).toEqual(["GET /r4/$export?_type=Observation%2CPatient"]);
  await expect.poll(() => world.asked("DELETE")).toEqual(["DELETE /r4/jobs/7"]);
  expect(world.edge.backend.headers.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  expect(world.edge.events.filter(({ code }) => code === "gateway/bulk-export")).toEqual([]);
});

it.each<[string, Record<string, unknown>]>([
  ["another client", OTHER],
  ["the same client with less", { ...SYSTEM, scope: "system/Patient.rs" }],
])("A8, A9: to %s an export looks like none", async (_who, claims) => {
  const world = await start();
  const ask = asSystem(world);
  const job = await kickOff(ask);
  for (const method of ["GET", "DELETE"]) {
    const answer = await world.edge.ask(job, { claims, method });
    expect([answer.status, codeOf(answer.json)]).toEqual([404, "smart-auth/not-found"]);
  }
  world.release();
  await ended(ask, job);
  const file = await world.edge.ask(`${job}/0`, { claims });
  expect([file.status, codeOf(file.json)]).toEqual([404, "smart-auth/not-found"]);
});

it("what no scope covers begins nothing", async () => {
  const world = await start();
  const answer = await world.edge.ask("/$export", { headers: LATER });
  expect([answer.status, codeOf(answer.json)]).toEqual([403, "smart-auth/scope-insufficient"]);
  expect(world.edge.backend.asked).toEqual([]);
});

it("an export that is cancelled is gone, and the upstream is told", async () => {
  const world = await start();
  const ask = asSystem(world);
  const job = await kickOff(ask);
  await expect.poll(() => world.asked("GET /r4/jobs/7").length, PATIENCE).toBeGreaterThan(0);
  expect((await ask(job, { method: "DELETE" })).status).toBe(202);
  expect((await ask(job)).status).toBe(404);
  await expect.poll(() => world.asked("DELETE"), PATIENCE).toEqual(["DELETE /r4/jobs/7"]);
});

it("one organisation has no more exports than its share", async () => {
  const world = await start();
  const ask = asSystem(world);
  await kickOff(ask);
  await kickOff(ask);
  const third = await ask("/$export", { headers: LATER });
  expect([third.status, codeOf(third.json)]).toEqual([429, "tiered-throttle/async-too-many"]);
});

it("F11: a reload keeps exports, and those that run go on", async () => {
  const world = await start();
  const ask = asSystem(world);
  const job = await kickOff(ask);
  await world.edge.gateway.reload({ ...world.policy, limits: { requestBodyBytes: 1000 } });
  expect((await ask(job)).status).toBe(202);
  world.release();
  await ended(ask, job);
  expect(world.asked("GET /r4/$export").length).toBe(1);
});

it.each<[string, (policy: PolicyDocument) => PolicyDocument]>([
  ["another folder", (policy) => ({ ...policy, bulkExport: { folder: "elsewhere" } })],
  ["no exports", ({ bulkExport: _gone, ...policy }) => policy],
  ["another path", (policy) => ({ ...policy, routes: policy.routes.map((one) => ({ ...one, path: "/other" })) })],
])("F11: a reload with %s needs a restart", async (_what, change) => {
  const { edge, policy } = await start();
  await expect(edge.gateway.reload(change(policy))).rejects.toThrow(/restart/);
});

it("F15: an export that a restart interrupted begins anew and ends once, for the caller who began it", async () => {
  const world = await start();
  const job = await kickOff(asSystem(world));
  await expect.poll(() => world.asked("GET /r4/jobs/7").length, PATIENCE).toBeGreaterThan(0);
  await world.edge.gateway.close();
  expect(world.asked("DELETE")).toEqual(["DELETE /r4/jobs/7"]);

  const gateway: Gateway = await createGateway(world.policy, { onEvent: () => undefined });
  opened.push(() => gateway.close());
  const { url } = await gateway.listen();
  const ask: Asking = async (path, { claims = SYSTEM, ...init } = {}) => {
    const headers = { ...LATER, authorization: `Bearer ${await world.edge.issuer.token(claims)}` };
    const response = await fetch(`${url}/fhir${path}`, { ...init, headers });
    const text = await response.text();
    const json: unknown = text.startsWith("{") ? JSON.parse(text.split("\n")[0] ?? "") : undefined;
    return { status: response.status, headers: response.headers, text, json };
  };
  expect((await ask(job)).status).toBe(202);
  expect((await ask(job, { claims: OTHER })).status).toBe(404);
  world.release();
  await ended(ask, job);
  const file = await ask(`${job}/1`);
  expect(file.text.split("\n").filter((line) => line !== "").length).toBe(1);
  expect(world.asked("GET /r4/$export").length).toBe(2);
  expect(world.asked("GET /r4/files/patients").length).toBe(1);
});

it("without `bulkExport` the upstream answers later by itself, bound to the caller", async () => {
  const world = await start(({ bulkExport: _none, ...policy }) => policy);
  const ask = asSystem(world);
  const job = await kickOff(ask);
  expect((await ask(job)).headers.get("x-progress")).toBe("50%");
  expect(world.asked("GET /r4/jobs/7").length).toBe(1);
  expect((await world.edge.ask(job, { claims: OTHER })).status).toBe(404);
  world.release();
  const { output } = (await ended(ask, job)).json as { output: { type: string; url: string }[] };
  expect(output.map(({ url }) => url)).toEqual([`${BASE}${job}/0`, `${BASE}${job}/1`]);
  const file = await ask(`${job}/0`);
  expect(idsIn(file.text)).toEqual(["a", "b"]);
});
