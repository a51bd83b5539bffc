import { createHash } from "node:crypto";
import { appendFile, readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { createLogger, format, transports } from "winston";
import { eventIdOf, type LedgerEntry, ndjsonSink, type ObjectStore, s3Sink, winstonSink } from "../../src/index.ts";
import { emptyFolder } from "../support/folders.ts";
import { entries, entry, idsOf } from "./support/entries.ts";

const { signal } = new AbortController();
const idsIn = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);

describe("ndjsonSink()", () => {
  it("appends lines that name the event and its place, readable by their owner only", async () => {
    const folder = join(await emptyFolder(), "export");
    const sink = ndjsonSink({ folder });
    await sink.send(entries(2), signal);
    await sink.send(entries(3, 2), signal);
    expect(await readdir(folder)).toEqual(["ndjson.0000000000000000.ndjson"]);
    const file = join(folder, "ndjson.0000000000000000.ndjson");
    const text = await readFile(file, "utf8");
    expect(idsIn(text)).toEqual(idsOf(5));
    const { seq, at, hash, event } = entry(4);
    expect(JSON.parse(text.trimEnd().split("\n")[4] ?? "")).toEqual({ id: "event-4", seq, at, hash, event });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([10, 200_000])("cuts off a line of %i bytes that a crash left unfinished", async (length) => {
    const folder = await emptyFolder();
    const sink = ndjsonSink({ folder });
    await sink.send(entries(2), signal);
    await appendFile(join(folder, "ndjson.0000000000000000.ndjson"), `{"id":"${"x".repeat(length)}`);
    await sink.send(entries(2, 2), signal);
    expect(idsIn(await readFile(join(folder, "ndjson.0000000000000000.ndjson"), "utf8"))).toEqual(idsOf(4));
  });

  it("goes on with the last file of its own name, which is a name and no pattern", async () => {
    const folder = await emptyFolder();
    await appendFile(join(folder, "a1b.0000000000000009.ndjson"), "another's\n");
    for (const from of [0, 2]) await ndjsonSink({ name: "a.b", folder }).send(entries(2, from), signal);
    await ndjsonSink({ name: "a(b", folder }).send(entries(1), signal);
    expect((await readdir(folder)).sort()).toEqual([
      "a(b.0000000000000000.ndjson",
      "a.b.0000000000000000.ndjson",
      "a1b.0000000000000009.ndjson",
    ]);
    expect(await readFile(join(folder, "a1b.0000000000000009.ndjson"), "utf8")).toBe("another's\n");
  });

  it("begins a new file, named after its first entry, when one is full", async () => {
    const folder = await emptyFolder();
    const sink = ndjsonSink({ name: "monthly", folder, fileBytes: 1 });
    await sink.send(entries(2), signal);
    await sink.send(entries(1, 2), signal);
    expect((await readdir(folder)).sort()).toEqual([
      "monthly.0000000000000000.ndjson",
      "monthly.0000000000000002.ndjson",
    ]);
  });
});

/** A bucket with Object Lock: keeps versions, wants a checksum, and deletes none before its time, for anybody. */
async function lockedBucket(): Promise<{
  url: string;
  versions: Map<string, Buffer[]>;
  until: string[];
  close: () => void;
}> {
  const versions = new Map<string, Buffer[]>();
  const until: string[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.once("end", () => {
      const body = Buffer.concat(chunks);
      if (req.method === "DELETE") return void res.writeHead(403).end();
      const checksum = createHash("sha256").update(body).digest("base64");
      const retain = String(req.headers["x-amz-object-lock-retain-until-date"]);
      const locked = req.headers["x-amz-object-lock-mode"] === "COMPLIANCE" && Date.parse(retain) > Date.now();
      if (!locked || req.headers["x-amz-checksum-sha256"] !== checksum) return void res.writeHead(400).end();
      versions.set(req.url ?? "", [...(versions.get(req.url ?? "") ?? []), body]);
      until.push(retain);
      res.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, versions, until, close: () => void server.close() };
}

/** What the SDK's client makes of `putObject`, as far as this sink needs it. */
function clientOf(url: string): ObjectStore {
  return {
    async putObject(input, { abortSignal }) {
      const answer = await fetch(`${url}/${input.Bucket}/${input.Key}`, {
        method: "PUT",
        body: new Uint8Array(input.Body),
        signal: abortSignal,
        headers: {
          "Content-Type": input.ContentType,
          "x-amz-checksum-sha256": input.ChecksumSHA256,
          "x-amz-object-lock-mode": input.ObjectLockMode,
          "x-amz-object-lock-retain-until-date": input.ObjectLockRetainUntilDate.toISOString(),
          connection: "close",
        },
      });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      return {};
    },
  };
}

describe("s3Sink()", () => {
  const KEY = "/audit/edge-1/0000000000000003-0000000000000005.ndjson";

  it("stores a batch under a lock of six years and a margin, for nobody to delete", async () => {
    const bucket = await lockedBucket();
    const now = (): number => Date.UTC(2040, 0, 1);
    const sink = s3Sink({ client: clientOf(bucket.url), bucket: "audit", prefix: "edge-1/", now });
    await sink.send(entries(3, 3), signal);
    expect([...bucket.versions.keys()]).toEqual([KEY]);
    expect(idsIn(String(bucket.versions.get(KEY)?.[0]))).toEqual(idsOf(3, 3));
    expect(bucket.until).toEqual(["2046-01-09T00:00:00.000Z"]);
    expect((await fetch(bucket.url + KEY, { method: "DELETE", headers: { connection: "close" } })).status).toBe(403);
    // The same batch again is a second version of one object: it replaces nothing.
    await sink.send(entries(3, 3), signal);
    expect(bucket.versions.get(KEY)?.length).toBe(2);
    bucket.close();
  });

  it("fails, to be tried again, when the store refuses or is gone", async () => {
    const bucket = await lockedBucket();
    const sink = s3Sink({ client: clientOf(bucket.url), bucket: "audit", mode: "GOVERNANCE" });
    await expect(sink.send(entries(1), signal)).rejects.toMatchObject({
      code: "audit-event/sink-unreachable",
      retryable: true,
    });
    bucket.close();
    await expect(sink.send(entries(1), signal)).rejects.toMatchObject({ retryable: true });
  });

  it.each([{ retainDays: 0 }, { retainDays: 1.5 }, { mode: "NONE" }])("refuses %j", (options) => {
    expect(() => s3Sink({ client: clientOf(""), bucket: "b", ...(options as object) })).toThrow(ConfigurationError);
  });
});

describe("winstonSink()", () => {
  it.each(["transport", "logger"] as const)("writes each event as one JSON line of a winston %s", async (kind) => {
    const filename = join(await emptyFolder(), "audit.log");
    const transport = new transports.File({ filename, format: format.json() });
    const logger = createLogger({ transports: [transport] });
    await winstonSink({ to: kind === "logger" ? logger : transport }).send(entries(3), signal);
    await new Promise((resolve) => {
      transport.once("finish", resolve);
      logger.end();
    });
    await expect.poll(async () => (await readFile(filename, "utf8")).split("\n").length).toBe(4);
    const lines = (await readFile(filename, "utf8")).trimEnd().split("\n");
    const { seq, at, hash, event } = entry(2);
    expect(lines.map((line) => JSON.parse(line) as object)[2]).toEqual({
      level: "info",
      message: "audit event",
      id: "event-2",
      seq,
      at,
      hash,
      event,
    });
  });

  it("fails, to be tried again, when the stream reports an error, and stops when its time is up", async () => {
    const broken = {
      write(_info: object, done: (error?: Error) => void) {
        done(new Error("disk full"));
        return true;
      },
    };
    await expect(winstonSink({ to: broken }).send(entries(1), signal)).rejects.toMatchObject({
      code: "audit-event/sink-unreachable",
      retryable: true,
    });
    const written: object[] = [];
    const late = new AbortController();
    const slow = {
      write: (info: object, done: () => void) => {
        written.push(info);
        late.abort();
        done();
        return true;
      },
    };
    await expect(winstonSink({ to: slow }).send(entries(3), late.signal)).rejects.toThrow();
    expect(written.length).toBe(1);
  });
});

describe("eventIdOf()", () => {
  const withEvent = (event: unknown): LedgerEntry => ({ ...entry(1), event });

  it.each([
    ["the event's own id", { id: "a-1.B" }, "a-1.B"],
    ["the entry's hash when there is none", {}, entry(1).hash],
    ["the entry's hash when it is no FHIR id", { id: "a b" }, entry(1).hash],
    ["the entry's hash when it is no text", { id: 7 }, entry(1).hash],
    ["the entry's hash when there is no event", null, entry(1).hash],
  ])("is %s", (_what, event, id) => {
    expect(eventIdOf(withEvent(event))).toBe(id);
  });
});
