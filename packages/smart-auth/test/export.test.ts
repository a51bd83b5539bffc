import { describe, expect, it } from "vitest";
import { createMemoryConsentRegistry, createMemoryExportJobStore, type ExportJobStore } from "../src/index.ts";
import { parseOptions, type SmartAuthOptions } from "../src/options.ts";
import { SECRET, UPSTREAM } from "./support/backend.ts";
import { codeOf, createEdge, DOCTOR, type Edge, SYSTEM } from "./support/edge.ts";
import { exportStoreContract, JOB } from "./support/export-store-contract.ts";
import { AUDIENCE, NOW } from "./support/issuer.ts";
import { EXPRESS } from "./support/servers.ts";

describe("the export job store in memory", () => {
  exportStoreContract((start) => {
    let clock = start * 1000;
    const store = createMemoryExportJobStore({ now: () => clock });
    return {
      store,
      pass: (seconds) => {
        clock += seconds * 1000;
      },
    };
  });

  it("S8: full of jobs that count it rejects; one whose time is over makes room", async () => {
    let now = NOW * 1000;
    const store = createMemoryExportJobStore({ limit: 1, now: () => now });
    await store.save(JOB);
    await expect(store.save({ ...JOB, id: "k".repeat(32) })).rejects.toMatchObject({
      code: "smart-auth/export-store-full",
    });
    now += 60_000;
    await store.save({ ...JOB, id: "k".repeat(32), until: NOW + 120 });
    expect(await store.load("k".repeat(32))).toBeDefined();
  });
});

it.each<[string, object, string]>([
  ["the operation without a store", { operations: ["export"] }, "bulkExport"],
  ["a store without the operation", { bulkExport: { store: createMemoryExportJobStore() } }, "bulkExport"],
  ["a store that is none", { operations: ["export"], bulkExport: { store: {} } }, "bulkExport.store"],
  [
    "no lifetime",
    { operations: ["export"], bulkExport: { store: createMemoryExportJobStore(), lifetimeSeconds: 0 } },
    "bulkExport.lifetimeSeconds",
  ],
  [
    "an unknown option",
    { operations: ["export"], bulkExport: { store: createMemoryExportJobStore(), stores: 1 } },
    "bulkExport.stores",
  ],
])("options refuse %s", (_what, options, path) => {
  const base = { issuers: [{ issuer: "https://as.example", audience: [AUDIENCE] }], baseUrl: AUDIENCE };
  expect(() => parseOptions({ ...base, ...options } as never)).toThrow(
    expect.objectContaining({ issues: [expect.objectContaining({ path })] }),
  );
});

const LINES = [
  { resourceType: "Patient", id: "p1" },
  { resourceType: "Observation", id: "o1", code: { text: SECRET } },
  { resourceType: "Patient", id: "p2" },
];
const SCOPES = "system/Patient.rs system/Group.rs";

describe.each(EXPRESS)("$export on %s (A8)", (_name, express) => {
  async function edgeWith(
    store: ExportJobStore = createMemoryExportJobStore({ now: () => NOW * 1000 }),
    more: Partial<SmartAuthOptions> = {},
  ): Promise<Edge> {
    const edge = await createEdge(express, { operations: ["export"], bulkExport: { store }, ...more });
    let done = false;
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((req, res) => {
      edge.backend.seen.push({ method: req.method, url: req.url, query: req.query, body: undefined });
      const [path] = req.url.split("?");
      if (path?.endsWith("$export")) {
        res.status(202).set("Content-Location", `${UPSTREAM}/$job-status?job=77`).json({ note: SECRET });
      } else if (req.method === "DELETE") res.status(202).end();
      else if (path === "/$job-status" && !done) {
        done = true;
        res.status(202).set("X-Progress", `exporting ${SECRET}`).set("Retry-After", "1").end();
      } else if (path === "/$job-status") {
        res.json({
          transactionTime: "2026-01-01T00:00:00Z",
          request: `${UPSTREAM}/$export`,
          requiresAccessToken: false,
          output: [
            { type: "Patient", url: `${UPSTREAM}/files/77/patient.ndjson`, count: 3 },
            { type: "Observation", url: `${UPSTREAM}/files/77/observation.ndjson` },
          ],
          error: [{ type: "OperationOutcome", url: `${UPSTREAM}/files/77/error.ndjson` }],
          deleted: [{ type: "Bundle", url: `${UPSTREAM}/files/77/deleted.ndjson` }],
          extension: { secret: SECRET },
        });
      } else if (path?.endsWith("patient.ndjson")) ndjson(res, LINES);
      else if (path?.endsWith("error.ndjson")) {
        ndjson(res, [
          { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "processing", diagnostics: SECRET }] },
        ]);
      } else if (path?.endsWith("deleted.ndjson")) {
        const entry = ["Patient/p9", "Observation/o9"].map((url) => ({ request: { method: "DELETE", url } }));
        ndjson(res, [{ resourceType: "Bundle", type: "transaction", entry }]);
      } else
        res.status(404).json({
          resourceType: "OperationOutcome",
          issue: [{ severity: "error", code: "not-found", diagnostics: SECRET }],
        });
    });
    return edge;
  }

  function ndjson(res: { type(type: string): { end(text: string): unknown } }, lines: readonly object[]): void {
    res.type("application/fhir+ndjson").end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }

  const below = (url: unknown): string => String(url).slice(AUDIENCE.length);
  async function start(edge: Edge, path = "/$export", scope = SCOPES): Promise<string> {
    const answer = await edge.as(scope, path, { headers: { prefer: "respond-async" } }, SYSTEM);
    expect([answer.status, answer.text]).toEqual([202, ""]);
    expect(String(answer.headers["content-location"])).toMatch(new RegExp(`^${AUDIENCE}/_export/[A-Za-z0-9_-]{32}$`));
    return below(answer.headers["content-location"]);
  }
  type Manifest = Record<"output" | "error" | "deleted", { type: string; url: string; count?: number }[]>;
  async function finish(edge: Edge, job: string): Promise<Manifest> {
    await edge.as(SCOPES, job, {}, SYSTEM);
    const answer = await edge.as(SCOPES, job, {}, SYSTEM);
    expect(answer.text).not.toContain(SECRET);
    return JSON.parse(answer.text) as Manifest;
  }

  it("asks the server for the granted types only, and keeps the server's address to itself", async () => {
    const edge = await edgeWith();
    await start(edge);
    await start(edge, "/Patient/$export?_type=Patient&_since=2026-01-01T00:00:00Z");
    await start(edge, "/Group/g1/$export");
    expect(edge.backend.seen.map(({ url }) => decodeURIComponent(url))).toEqual([
      "/$export?_type=Group,Patient",
      "/Patient/$export?_since=2026-01-01T00:00:00Z&_type=Patient",
      "/Group/g1/$export?_type=Group,Patient",
    ]);
  });

  it.each<[string, string, string, Record<string, unknown>, number, string]>([
    ["of a type not granted", SCOPES, "/$export?_type=Patient,Observation", SYSTEM, 403, "scope-insufficient"],
    [
      "of a type granted in part",
      "system/Patient.rs system/Observation.rs?status=final",
      "/$export?_type=Observation",
      SYSTEM,
      403,
      "scope-insufficient",
    ],
    ["of a Group without the right to it", "system/Patient.rs", "/Group/g1/$export", SYSTEM, 403, "scope-insufficient"],
    ["without the right to search", "system/Patient.r", "/$export", SYSTEM, 403, "scope-insufficient"],
    ["by an app bound to a patient", "patient/*.rs", "/Patient/$export", {}, 403, "scope-insufficient"],
    ["where Bulk Data has none", SCOPES, "/Patient/p1/$export", SYSTEM, 400, "interaction-unknown"],
    ["with a parameter nobody knows", SCOPES, "/$export?colour=red", SYSTEM, 400, "parameter-unknown"],
    ["in another format", SCOPES, "/$export?_outputFormat=text/csv", SYSTEM, 400, "parameter-unknown"],
    ["of no type", SCOPES, "/$export?_type=Unicorn", SYSTEM, 400, "parameter-unknown"],
    [
      "with a filter that reaches further",
      SCOPES,
      "/$export?_type=Patient&_typeFilter=Observation%3Fcode%3Dx",
      SYSTEM,
      403,
      "search-refused",
    ],
  ])("refuses one %s", async (_what, scope, path, claims, status, code) => {
    const edge = await edgeWith();
    const answer = await edge.as(scope, path, {}, claims);
    expect([answer.status, codeOf(answer), edge.backend.seen]).toEqual([status, `smart-auth/${code}`, []]);
  });

  it("refuses parameters in a body", async () => {
    const edge = await edgeWith();
    const question = {
      method: "POST",
      body: JSON.stringify({ resourceType: "Parameters" }),
      headers: { "content-type": "application/fhir+json" },
    };
    const answer = await edge.as(SCOPES, "/$export", question, SYSTEM);
    expect([answer.status, codeOf(answer)]).toEqual([403, "smart-auth/operation-not-allowed"]);
  });

  it("tells of progress without the server's words, then gives files of granted types under own addresses", async () => {
    const edge = await edgeWith();
    const job = await start(edge);
    const running = await edge.as(SCOPES, job, {}, SYSTEM);
    expect([running.status, running.text, running.headers["x-progress"], running.headers["retry-after"]]).toEqual([
      202,
      "",
      undefined,
      "1",
    ]);
    const done = await edge.as(SCOPES, job, {}, SYSTEM);
    expect(JSON.parse(done.text)).toEqual({
      transactionTime: "2026-01-01T00:00:00Z",
      request: `${AUDIENCE}/$export`,
      requiresAccessToken: true,
      output: [{ type: "Patient", url: `${AUDIENCE}${job}/0`, count: 3 }],
      error: [{ type: "OperationOutcome", url: `${AUDIENCE}${job}/1` }],
      deleted: [{ type: "Bundle", url: `${AUDIENCE}${job}/2` }],
    });
  });

  it("guards a file line by line", async () => {
    const edge = await edgeWith();
    const { output, error, deleted } = await finish(edge, await start(edge));
    const read = async (url: string | undefined) => (await edge.as(SCOPES, below(url), {}, SYSTEM)).text;
    expect(
      (await read(output[0]?.url))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual([LINES[0], LINES[2]]);
    expect([...edge.context().patients].sort()).toEqual(["p1", "p2"]);
    expect(await read(error[0]?.url)).toBe(
      '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}\n',
    );
    expect(await read(deleted[0]?.url)).toBe(
      '{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/p9"}}]}\n',
    );
  });

  it("a file holds what its job was for, even where the grant reaches further", async () => {
    const edge = await edgeWith();
    const wide = `${SCOPES} system/Observation.rs`;
    const job = await start(edge, "/$export?_type=Patient", wide);
    await edge.as(wide, job, {}, SYSTEM);
    const { output } = JSON.parse((await edge.as(wide, job, {}, SYSTEM)).text) as Manifest;
    expect(output.map(({ type }) => type)).toEqual(["Patient"]);
    expect((await edge.as(wide, below(output[0]?.url), {}, SYSTEM)).text).not.toContain(SECRET);
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["another client", SCOPES, { ...SYSTEM, sub: "app-2", client_id: "app-2" }],
    ["a user of the same client", "user/*.rs", DOCTOR],
    ["a grant that has shrunk", "system/Patient.rs", SYSTEM],
    ["a grant of single letters", "system/Patient.r system/Group.r", SYSTEM],
  ])("A9: status, files and cancelling are closed to %s, as if there were no job", async (_what, scope, claims) => {
    const edge = await edgeWith();
    const job = await start(edge);
    const { output } = await finish(edge, job);
    const asked = edge.backend.seen.length;
    const absent = await edge.as(scope, `/_export/${"A".repeat(32)}`, {}, claims);
    for (const [method, path] of [
      ["GET", job],
      ["GET", below(output[0]?.url)],
      ["DELETE", job],
    ] as const) {
      const answer = await edge.as(scope, path, { method }, claims);
      expect([answer.status, answer.text]).toEqual([404, absent.text]);
    }
    expect(edge.backend.seen.length).toBe(asked);
    expect((await edge.as(SCOPES, job, {}, SYSTEM)).status).toBe(200);
  });

  it("without a token nothing is told", async () => {
    const edge = await edgeWith();
    const job = await start(edge);
    expect((await edge.as(undefined, job)).status).toBe(401);
  });

  it.each([
    ["by a store that updates", true],
    ["by one that only saves", false],
  ])("A8: a job that was cancelled while its server was asked does not come back, %s", async (_what, updates) => {
    const inner = createMemoryExportJobStore({ now: () => NOW * 1000 });
    let cancels = false;
    const cancelled = async (id: string): Promise<void> => (cancels ? inner.remove(id) : undefined);
    let loads = 0;
    const store: ExportJobStore = {
      ...inner,
      // The second look of one status request, where there is no `update`.
      load: async (id) => {
        if (++loads % 2 === 0 && !updates) await cancelled(id);
        return inner.load(id);
      },
    };
    if (updates) store.update = async (job) => cancelled(job.id).then(() => inner.update?.(job) ?? false);
    else delete store.update;
    const edge = await edgeWith(store);
    const job = await start(edge);
    expect((await edge.as(SCOPES, job, {}, SYSTEM)).status).toBe(202);
    loads = 0;
    cancels = true;
    const answer = await edge.as(SCOPES, job, {}, SYSTEM);
    expect([answer.status, answer.text.includes("_export")]).toEqual([404, false]);
    cancels = false;
    expect((await edge.as(SCOPES, `${job}/0`, {}, SYSTEM)).status).toBe(404);
  });

  it("a cancelled job is closed at once, its files with it", async () => {
    const edge = await edgeWith();
    const job = await start(edge);
    const { output } = await finish(edge, job);
    expect((await edge.as(SCOPES, job, { method: "DELETE" }, SYSTEM)).status).toBe(202);
    expect(edge.backend.seen.at(-1)).toMatchObject({ method: "DELETE", url: "/$job-status?job=77" });
    expect((await edge.as(SCOPES, job, {}, SYSTEM)).status).toBe(404);
    expect((await edge.as(SCOPES, below(output[0]?.url), {}, SYSTEM)).status).toBe(404);
  });

  it.each(["?x=1", "/9", "/0/1", "/x", "/0?x=1"])("A12: %s behind a job is nothing", async (more) => {
    const edge = await edgeWith();
    const job = await start(edge);
    await finish(edge, job);
    const answer = await edge.as(SCOPES, job + more, {}, SYSTEM);
    expect([400, 404]).toContain(answer.status);
  });

  it("a status URL or a file kept elsewhere cannot be judged, so nothing is sent", async () => {
    const edge = await edgeWith();
    const job = await start(edge);
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((req, res) => {
      if (req.url.includes("$export")) res.status(202).set("Content-Location", "https://elsewhere.example/1").end();
      else res.json({ transactionTime: "2026", output: [{ type: "Patient", url: "https://bucket.example/p.ndjson" }] });
    });
    for (const path of ["/$export", job]) {
      const answer = await edge.as(SCOPES, path, {}, SYSTEM);
      expect([answer.status, codeOf(answer)]).toEqual([502, "smart-auth/answer-not-fhir"]);
    }
  });

  it("F1: a store that fails refuses, and no job is told of that is not stored", async () => {
    const down = () => Promise.reject(new Error("down"));
    const edge = await edgeWith({ save: down, load: down, remove: down });
    for (const path of ["/$export", `/_export/${"A".repeat(32)}`]) {
      const answer = await edge.as(SCOPES, path, {}, SYSTEM);
      expect([answer.status, codeOf(answer)]).toEqual([503, "smart-auth/export-store-unavailable"]);
      expect(answer.headers["content-location"]).toBeUndefined();
    }
  });

  it("S15: what the server says of a job that failed is told without its words", async () => {
    const edge = await edgeWith();
    const job = await start(edge);
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      res.status(500).json({
        resourceType: "OperationOutcome",
        issue: [{ severity: "fatal", code: "exception", diagnostics: SECRET }],
      });
    });
    const answer = await edge.as(SCOPES, job, {}, SYSTEM);
    expect([answer.status, answer.text.includes(SECRET)]).toEqual([500, false]);
  });

  it("an export that the server answers at once is judged as any answer", async () => {
    const edge = await edgeWith();
    edge.backend.router.stack.length = 0;
    edge.backend.router.use((_req, res) => {
      const entry = LINES.map((resource) => ({ resource }));
      res.type("application/fhir+json").json({ resourceType: "Bundle", type: "collection", entry });
    });
    const answer = await edge.as(SCOPES, "/$export", {}, SYSTEM);
    expect([answer.status, answer.text.includes(SECRET)]).toEqual([200, false]);
  });

  describe("where patients withhold", () => {
    async function withheld() {
      const registry = createMemoryConsentRegistry();
      const edge = await edgeWith(undefined, { consent: { registry } });
      return { registry, edge };
    }
    const read = async (edge: Edge, url: string | undefined) => (await edge.as(SCOPES, below(url), {}, SYSTEM)).text;

    it("A9: the opt-out of one patient stops no export, and no line or deletion of theirs leaves", async () => {
      const { registry, edge } = await withheld();
      await registry.revoke("p1", {});
      await registry.revoke("p9", {});
      const { output, deleted } = await finish(edge, await start(edge));
      expect(await read(edge, output[0]?.url)).toBe(`${JSON.stringify(LINES[2])}\n`);
      expect(await read(edge, deleted[0]?.url)).toBe("");
    });

    it("A9: no manifest counts lines, whether something is withheld yet or not", async () => {
      const { registry, edge } = await withheld();
      const job = await start(edge);
      const { output } = await finish(edge, job);
      expect(output.map(({ count }) => count)).toEqual([undefined]);
      await registry.revoke("p1", {});
      const later = JSON.parse((await edge.as(SCOPES, job, {}, SYSTEM)).text) as Manifest;
      expect(later.output).toEqual(output);
    });

    it("A10: an opt-out between kick-off and download counts in the download", async () => {
      const { registry, edge } = await withheld();
      const { output } = await finish(edge, await start(edge));
      await registry.revoke("p2", {});
      expect(await read(edge, output[0]?.url)).toBe(`${JSON.stringify(LINES[0])}\n`);
    });

    it.each<[string, string, number]>([
      ["of the type itself may stay", "Patient?active=true", 202],
      ["that looks into other records may not", "Patient?organization.name=x", 403],
      ["that asks who refers may not", "Patient?_has:Observation:patient:code=x", 403],
    ])("A1: a type filter %s", async (_what, filter, status) => {
      const { registry, edge } = await withheld();
      await registry.revoke("p1", {});
      const scopes = `${SCOPES} system/Organization.rs system/Observation.rs`;
      const path = `/$export?_type=Patient&_typeFilter=${encodeURIComponent(filter)}`;
      expect((await edge.as(scopes, path, {}, SYSTEM)).status).toBe(status);
    });

    it("counts nothing for a client that a rule keeps a category from", async () => {
      const edge = await edgeWith(undefined, {
        conditions: [{ id: "no-sud", effect: "withhold", categories: ["sud"], when: { clients: ["app-1"] } }],
        consent: { categories: [{ name: "sud", labels: ["urn:labels|SUD"] }] },
      });
      const { output } = await finish(edge, await start(edge));
      expect(output.map(({ type, count }) => [type, count])).toEqual([["Patient", undefined]]);
    });
  });
});
