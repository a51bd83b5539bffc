import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AccessRecord } from "@wardline/policy-types";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  cmsReport,
  inventoryReport,
  type JournalDegradation,
  type JournalEntry,
  openUsageJournal,
  readJournal,
} from "../src/index.ts";
import { sightingOf } from "../src/observe/sighting.ts";
import { emptyFolder } from "./support/folders.ts";
import { FHIR, KEY, record } from "./support/records.ts";

async function entriesOf(file: string): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of readJournal(file)) entries.push(entry);
  return entries;
}

it("holds no patient, no subject, no token, and only its owner may read it", async () => {
  const file = join(await emptyFolder(), "usage.ndjson");
  const journal = openUsageJournal({ file, key: KEY });
  const principal = {
    issuer: "i",
    subject: "sub-secret",
    tokenId: "jti-secret",
    clientId: "app-1",
    roles: [],
    purposeOfUse: [],
    scopes: ["patient/*.rs?x=secret"],
  };
  const seen = record({
    patients: ["jane-secret"],
    resource: "Patient/jane-secret",
    principal,
    peerAddress: "10.0.0.secret",
  });
  journal.record(seen, sightingOf(seen));
  journal.priorAuth({ event: "submitted", at: 1, keys: ["claim|secret"] });
  await journal.close();
  const text = await readFile(file, "utf8");
  expect(text).not.toContain("secret");
  expect(text).toContain("patient/*.rs?{}");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it("a report from the journal is the report from the records, whatever came, over a restart and on two instances", async () => {
  const folder = await emptyFolder();
  let run = 0;
  const arbitrary = fc.record({
    patients: fc.subarray(["a", "b", "c"]),
    status: fc.constantFrom(200, 404, 429, 500),
    receivedAt: fc.constantFrom(Date.UTC(2025, 11, 31, 23), Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)),
    latencyMs: fc.constantFrom(1, 20, 300),
    apiType: fc.constantFrom("patient-access", "bulk-data"),
    completed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitrary, { maxLength: 30 }),
      fc.constantFrom("request" as const, "day" as const),
      async (changes, moreThanOnce) => {
        run += 1;
        const records: AccessRecord[] = changes.map((change) => record(change));
        const files = ["one", "two"].map((name) => join(folder, `${run}-${name}`));
        for (const [index, part] of [records.slice(0, 10), records.slice(10, 20), records.slice(20)].entries()) {
          const journal = openUsageJournal({ file: files[index % 2] ?? "", key: KEY });
          for (const one of part) journal.record(one);
          await journal.flush();
          await journal.close();
        }
        const options = { key: KEY, moreThanOnce };
        expect(await cmsReport(readJournal(files), options)).toEqual(await cmsReport(records, options));
      },
    ),
    { numRuns: 30 },
  );
});

it("grows with patients and time, not with requests", async () => {
  const file = join(await emptyFolder(), "usage.ndjson");
  const journal = openUsageJournal({ file, key: KEY });
  for (let index = 0; index < 1000; index += 1) {
    const one = record({ receivedAt: Date.UTC(2026, 0, 1 + (index % 28)) });
    journal.record(one);
  }
  await journal.close();
  const entries = await entriesOf(file);
  expect(entries.filter(({ kind }) => kind === "transfer").length).toBeLessThanOrEqual(3);
  expect(entries.length).toBeLessThan(40);
});

it("twice on one day and once on the next: both ways of counting find it", async () => {
  const file = join(await emptyFolder(), "usage.ndjson");
  const journal = openUsageJournal({ file, key: KEY });
  for (const day of [1, 1, 1, 2, 3]) journal.record(record({ receivedAt: Date.UTC(2026, 0, day) }));
  await journal.close();
  expect((await entriesOf(file)).filter(({ kind }) => kind === "transfer")).toHaveLength(3);
  for (const moreThanOnce of ["request", "day"] as const) {
    const { years } = await cmsReport(readJournal(file), { moreThanOnce });
    expect(years[0]?.patientAccess).toEqual({ unique: 1, moreThanOnce: 1 });
  }
});

it.skipIf(!existsSync("/dev/full"))(
  "F2: what may have been written is counted as lost, not written twice",
  async () => {
    const changes: JournalDegradation[] = [];
    const journal = openUsageJournal({
      file: "/dev/full",
      key: KEY,
      onDegraded: (change) => void changes.push(change),
    });
    journal.record(record());
    await journal.flush();
    expect(changes).toMatchObject([{ kind: "degraded", code: "ENOSPC", lost: 2 }]);
    expect(journal.status()).toEqual({ state: "degraded", pending: 0, lost: 2 });
    await journal.close();
  },
);

it("a line torn by a crash is told, and what follows is whole", async () => {
  const file = join(await emptyFolder(), "usage.ndjson");
  await appendFile(file, `${JSON.stringify({ kind: "transfer", day: "2026-01-01", patient: "p" })}\n{"kind":"tran`);
  const journal = openUsageJournal({ file, key: KEY });
  journal.record(record());
  await journal.close();
  const damaged: number[] = [];
  const kinds: string[] = [];
  for await (const { kind } of readJournal(file, { onDamaged: (_file, line) => void damaged.push(line) }))
    kinds.push(kind);
  expect([damaged, kinds]).toEqual([[2], ["transfer", "transfer", "traffic"]]);
});

it.each([
  '{"kind":"transfer","day":"x","patient":"p"}',
  '{"kind":"traffic","day":"2026-01-01","apiType":"a","latency":[]}',
  '{"kind":"prior-auth"}',
  '{"kind":"sighting"}',
  '{"kind":"else"}',
  "null",
  "[]",
  "7",
])("a line that is no entry is told: %s", async (line) => {
  const file = join(await emptyFolder(), "usage.ndjson");
  await appendFile(file, `${line}\n`);
  const damaged: number[] = [];
  for await (const _ of readJournal(file, { onDamaged: (_file, number) => void damaged.push(number) }))
    expect.unreachable();
  expect(damaged).toEqual([1]);
});

it("F12: a disk that refuses is told once, holds a bounded number of lines, and is told again when it recovers", async () => {
  const folder = join(await emptyFolder(), "missing");
  const file = join(folder, "usage.ndjson");
  const changes: JournalDegradation[] = [];
  const journal = openUsageJournal({
    file,
    key: KEY,
    maxPending: 100,
    onDegraded: (change) => void changes.push(change),
  });
  for (let index = 0; index < 150; index += 1) journal.record(record({ patients: [`p${index}`] }));
  await journal.flush();
  await journal.flush();
  expect(changes).toEqual([{ kind: "degraded", code: "ENOENT", lost: 51 }]);
  expect(journal.status()).toEqual({ state: "degraded", pending: 100, lost: 51 });
  await mkdir(folder);
  await journal.flush();
  expect(changes.at(-1)).toEqual({ kind: "recovered", code: "", lost: 51 });
  await journal.close();
  expect(await entriesOf(file)).toHaveLength(100);
  expect(journal.status().state).toBe("closed");
});

it("nothing is written after the end", async () => {
  const file = join(await emptyFolder(), "usage.ndjson");
  const journal = openUsageJournal({ file, key: KEY });
  await journal.close();
  await journal.close();
  journal.record(record());
  journal.priorAuth({ event: "submitted", at: 1, keys: ["k"] });
  await journal.flush();
  expect(await readFile(file, "utf8")).toBe("");
});

it("the inventory's report can be made from the journal", async () => {
  const file = join(await emptyFolder(), "usage.ndjson");
  const journal = openUsageJournal({ file, key: KEY });
  for (const client of ["app-1", "app-2", "app-2"]) {
    const one = record({ client });
    journal.record(one, sightingOf(one));
  }
  await journal.close();
  const report = await inventoryReport(readJournal(file), {
    entries: [{ ...FHIR, consumers: ["app-1"] }],
    now: new Date("2026-06-02"),
  });
  expect(report.requests).toBe(3);
  expect(report.findings.filter(({ code }) => code === "unknown-client")).toMatchObject([
    { subject: "app-2", answered: 2 },
  ]);
});
