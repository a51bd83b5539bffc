import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import {
  type JournalDegradation,
  type JournalEntry,
  openUsageJournal,
  readJournal,
  type UsageJournal,
} from "../src/index.ts";
import { sightingOf } from "../src/observe/sighting.ts";
import { emptyFolder } from "./support/folders.ts";
import { KEY, record } from "./support/records.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const HELD = 1000;

/** More requests than lines are held come before the journal's own time to write has, at the pace of the disk. */
async function recordMany(
  requests: number,
  change: (index: number) => Parameters<typeof record>[0],
): Promise<{ readonly entries: readonly JournalEntry[]; readonly lost: number }> {
  const file = join(await emptyFolder(), "usage.ndjson");
  const journal = openUsageJournal({ file, key: KEY, maxPending: HELD });
  for (let index = 0; index < requests; index += 1) {
    const one = record(change(index));
    journal.record(one, sightingOf(one));
    if (index % (HELD / 4) === 0) await letWrite(journal);
  }
  await journal.close();
  const entries: JournalEntry[] = [];
  for await (const entry of readJournal(file)) entries.push(entry);
  return { entries, lost: journal.status().lost };
}

async function letWrite(journal: UsageJournal): Promise<void> {
  await vi.waitUntil(() => journal.status().pending < HELD / 2, { timeout: 5000, interval: 1 });
}

it("F12: more patients between two writes than lines are held are all written, as long as the disk takes them", async () => {
  const { entries, lost } = await recordMany(3 * HELD, (index) => ({ patients: [`p${index}`] }));
  expect(lost).toBe(0);
  expect(entries.filter(({ kind }) => kind === "transfer")).toHaveLength(3 * HELD);
});

it("F12: more kinds of use between two writes than lines are held push out neither each other nor the traffic's counts", async () => {
  const { entries, lost } = await recordMany(3 * HELD, (index) => ({ patients: [], client: `app-${index}` }));
  expect(lost).toBe(0);
  expect(entries.filter(({ kind }) => kind === "sighting")).toHaveLength(3 * HELD);
  const requests = entries.map((entry) => (entry.kind === "traffic" ? entry.requests : 0));
  expect(requests.reduce((sum, more) => sum + more, 0)).toBe(3 * HELD);
});

it("F12: a disk that hangs is told, and that it is well again", async () => {
  const folder = await emptyFolder();
  const told: string[] = [];
  const onDegraded = ({ kind, code }: JournalDegradation): void => void told.push(`${kind} ${code}`);
  const journal = openUsageJournal({ file: join(folder, "usage.ndjson"), key: KEY, onDegraded });
  const any = await open(join(folder, "any"), "w");
  const sync = vi.spyOn(Object.getPrototypeOf(any) as FileHandle, "datasync");
  let release = (): void => undefined;
  sync.mockImplementationOnce(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  await any.close();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  journal.record(record());
  const flushed = journal.flush();
  vi.advanceTimersByTime(2000);
  vi.useRealTimers();
  expect(told).toEqual(["degraded stuck"]);
  await vi.waitFor(() => expect(sync).toHaveBeenCalled());
  release();
  await flushed;
  expect(told).toEqual(["degraded stuck", "recovered "]);
  await journal.close();
});
