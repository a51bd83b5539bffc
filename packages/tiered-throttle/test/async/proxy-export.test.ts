import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import express5 from "express";
import { describe, expect, it } from "vitest";
import { createFolderFiles } from "../../src/async/folder-files.ts";
import { createPerform } from "../../src/async/work.ts";
import { type AsyncJob, type ProxyExportOptions, proxyExport } from "../../src/index.ts";
import { emptyFolder, jobOf } from "./support/queues.ts";
import { world } from "./support/world.ts";

interface Upstream {
  readonly base: string;
  readonly seen: { readonly what: string; readonly authorization: string | undefined }[];
  readonly other: string;
}

type Play = (at: { base: string; other: string }) => {
  readonly kickOff?: { readonly status: number; readonly place?: string };
  readonly statuses?: readonly {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  }[];
  readonly files?: Readonly<Record<string, string>>;
};

const PATIENTS = '{"resourceType":"Patient","id":"1"}\n{"resourceType":"Patient","id":"2"}';
const MORE = '{"resourceType":"Patient","id":"3"}\n';
const manifest = (files: object): string =>
  JSON.stringify({ transactionTime: "2026-01-02T03:04:05Z", output: [], ...files });

/** A server that exports by itself, and one beside it that keeps files or lures. */
async function upstream(play: Play): Promise<Upstream> {
  const seen: { what: string; authorization: string | undefined }[] = [];
  const at = { base: "", other: "" };
  const app = express5();
  let looks = 0;
  app.use((req, res) => {
    const { kickOff, statuses, files } = { kickOff: undefined, statuses: undefined, files: {}, ...play(at) };
    const host = `http://${String(req.headers.host)}`;
    seen.push({
      what: `${host === at.other ? "other " : ""}${req.method} ${req.url}`,
      authorization: req.headers.authorization,
    });
    const file = (files as Record<string, string>)[req.url];
    if (file !== undefined) return void res.type("application/fhir+ndjson").end(file);
    if (req.method === "DELETE") return void res.status(202).end();
    if (req.url.startsWith("/fhir/$export")) {
      const place = kickOff?.place ?? `${at.base}/status/7`;
      return void res
        .status(kickOff?.status ?? 202)
        .setHeader("Content-Location", place)
        .end();
    }
    const list = statuses ?? [
      { status: 200, body: manifest({ output: [{ type: "Patient", url: `${at.base}/files/1` }] }) },
    ];
    const now = list[Math.min(looks, list.length - 1)];
    looks += 1;
    res
      .status(now?.status ?? 500)
      .set(now?.headers ?? {})
      .end(now?.body);
  });
  at.base = `${await listen(app)}/fhir`;
  at.other = await listen(app);
  return { ...at, seen };
}

async function perform(
  server: Upstream,
  options: Partial<ProxyExportOptions> = {},
  job: AsyncJob = jobOf(),
): Promise<{ texts: string[]; result: object; slept: number[]; progress: number[] }> {
  const folder = await emptyFolder();
  const slept: number[] = [];
  const progress: number[] = [];
  const run = proxyExport({
    baseUrl: server.base,
    headers: () => ({ Authorization: "Bearer upstream" }),
    sleep: async (ms) => void slept.push(ms),
    ...options,
  });
  const work = createPerform(
    { run, files: createFolderFiles(folder), maxJobBytes: 1e6, runSeconds: 60, now: Date.now },
    { take: () => true },
  );
  const result = await work(job, {
    signal: new AbortController().signal,
    progress: (fraction) => progress.push(fraction),
  });
  const texts = await Promise.all(result.files.map(({ name }) => readFile(join(folder, job.id, name), "utf8")));
  return { texts, result, slept, progress };
}

describe("proxyExport", () => {
  it("begins the upstream's export, waits as told, fetches each file whole and lets the upstream forget", async () => {
    const server = await upstream(({ base }) => ({
      statuses: [
        { status: 202, headers: { "Retry-After": "7", "X-Progress": "40% of Miller's records" } },
        { status: 429, headers: { "Retry-After": "9999" } },
        { status: 503 },
        {
          status: 200,
          body: manifest({
            output: [
              { type: "Patient", url: `${base}/files/1` },
              { type: "Patient", url: "files/2" },
            ],
            error: [{ type: "OperationOutcome", url: `${base}/files/3` }],
          }),
        },
      ],
      files: {
        "/fhir/files/1": PATIENTS,
        "/fhir/files/2": MORE,
        "/fhir/files/3": '{"resourceType":"OperationOutcome"}',
      },
    }));
    const { texts, result, slept, progress } = await perform(server);
    expect(texts).toEqual([`${PATIENTS}\n${MORE}`, '{"resourceType":"OperationOutcome"}\n']);
    expect(result).toMatchObject({
      transactionTime: "2026-01-02T03:04:05Z",
      files: [
        { kind: "output", type: "Patient", count: 3, bytes: 108 },
        { kind: "error", type: "OperationOutcome", count: 1 },
      ],
    });
    expect(slept).toEqual([7000, 120_000, 5000]);
    expect(progress[0]).toBe(0.2);
    expect(progress.at(-1)).toBe(1);
    expect(server.seen.map(({ what }) => what)).toEqual([
      "GET /fhir/$export",
      ...Array.from({ length: 4 }, () => "GET /fhir/status/7"),
      "GET /fhir/files/1",
      "GET /fhir/files/2",
      "GET /fhir/files/3",
      "DELETE /fhir/status/7",
    ]);
    expect(new Set(server.seen.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer upstream"]));
  });

  it("files at another origin: fetched without credentials where the origin is named, and not at all where not", async () => {
    const play: Play = ({ other }) => ({
      statuses: [{ status: 200, body: manifest({ output: [{ type: "Patient", url: `${other}/elsewhere` }] }) }],
      files: { "/elsewhere": MORE },
    });
    const server = await upstream(play);
    expect((await perform(server, { fileOrigins: [server.other] })).texts).toEqual([MORE]);
    const fetched = server.seen.filter(({ what }) => what.startsWith("other"));
    expect(fetched).toEqual([{ what: "other GET /elsewhere", authorization: undefined }]);

    const refusing = await upstream(play);
    await expect(perform(refusing)).rejects.toThrow("the upstream keeps a file where none is fetched from");
    expect(refusing.seen.map(({ what }) => what)).toEqual([
      "GET /fhir/$export",
      "GET /fhir/status/7",
      "DELETE /fhir/status/7",
    ]);
  });

  it.each([
    ["a kick-off that is answered at once", () => ({ kickOff: { status: 200 } }), "did not begin"],
    ["a kick-off that is redirected", () => ({ kickOff: { status: 302 } }), "did not begin"],
    [
      "a status URL elsewhere",
      ({ other }) => ({ kickOff: { status: 202, place: `${other}/fhir/status` } }),
      "lies elsewhere",
    ],
    [
      "a status URL beside the base",
      ({ base }) => ({ kickOff: { status: 202, place: `${base}/../admin` } }),
      "lies elsewhere",
    ],
    ["an export that fails", () => ({ statuses: [{ status: 500 }] }), "export failed"],
    ["a manifest that is none", () => ({ statuses: [{ status: 200, body: '{"output":[]}' }] }), "manifest"],
    ["a manifest that is no JSON", () => ({ statuses: [{ status: 200, body: "<html>" }] }), "JSON"],
    [
      "a manifest too long",
      () => ({ statuses: [{ status: 200, body: manifest({ pad: "x".repeat(2000) }) }] }),
      "too long",
    ],
    [
      "a file of no type",
      ({ base }) => ({ statuses: [{ status: 200, body: manifest({ output: [{ url: base }] }) }] }),
      "manifest",
    ],
    [
      "a file of a type that is a path",
      ({ base }) => ({
        statuses: [{ status: 200, body: manifest({ output: [{ type: "../Patient", url: `${base}/files/1` }] }) }],
        files: { "/fhir/files/1": MORE },
      }),
      "resource type",
    ],
    [
      "a file that is missing",
      ({ base }) => ({
        statuses: [
          { status: 200, body: manifest({ output: [{ type: "Patient", url: `${base}/files/1` }] }) },
          { status: 404 },
        ],
      }),
      "did not give a file",
    ],
  ] satisfies [string, Play, string][])("%s fails the job", async (what, play, message) => {
    const server = await upstream(play);
    const error = await perform(server, { manifestBytes: 1024 }).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    if (what.includes("redirected")) expect(String(error?.message)).toMatch(/fetch failed|did not begin/);
    else expect(String(error?.message)).toContain(message);
  });

  it("a file that breaks off in the middle is no file", async () => {
    const app = express5();
    app.use((req, res) => {
      const base = `http://${String(req.headers.host)}/fhir`;
      if (req.url.includes("$export"))
        return void res.status(202).setHeader("Content-Location", `${base}/status`).end();
      if (req.url.includes("status"))
        return void res.end(manifest({ output: [{ type: "Patient", url: `${base}/file` }] }));
      res.write(PATIENTS);
      setImmediate(() => res.destroy());
    });
    const base = `${await listen(app)}/fhir`;
    await expect(perform({ base, other: "", seen: [] })).rejects.toThrow();
  });

  it("behind asyncOperations: cancelled while it waits for the upstream, the upstream is told too", async () => {
    const server = await upstream(() => ({ statuses: [{ status: 202 }] }));
    const at = await world(EXPRESS[0][1], { run: proxyExport({ baseUrl: server.base }) });
    const headers = { prefer: "respond-async", "x-user": "anna" };
    const kickOff = await ask(`${at.origin}/fhir/$export?_type=Patient`, { headers });
    const place = new URL(String(kickOff.headers["content-location"])).pathname;
    await expect.poll(() => server.seen.length).toBe(2);
    expect((await ask(at.origin + place, { method: "DELETE", headers })).status).toBe(202);
    await expect
      .poll(() => server.seen.map(({ what }) => what))
      .toEqual(["GET /fhir/$export?_type=Patient", "GET /fhir/status/7", "DELETE /fhir/status/7"]);
    await at.operations.close();
  });
});
