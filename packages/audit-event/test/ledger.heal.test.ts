import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Ledger, readLedger, verifyLedger } from "../src/index.ts";
import { openLedgerOn } from "../src/ledger/open.ts";
import { type FailingFiles, failingFiles } from "./support/failing-files.ts";
import { emptyFolder, segmentFiles } from "./support/folders.ts";

let open: Ledger | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

async function begin(segmentBytes = 1 << 20): Promise<{ folder: string; files: FailingFiles; ledger: Ledger }> {
  const [folder, files] = [await emptyFolder(), failingFiles()];
  const ledger = await openLedgerOn(files, { folder, segmentBytes, healAfterMs: 20 });
  open = ledger;
  for (let n = 0; n < 5; n++) await ledger.append([{ n }]);
  return { folder, files, ledger };
}

async function eventsOf(folder: string): Promise<Record<string, unknown>[]> {
  const events: Record<string, unknown>[] = [];
  for await (const { event } of readLedger(folder)) events.push(event as Record<string, unknown>);
  return events;
}

const healed = (ledger: Ledger): Promise<void> => vi.waitFor(() => expect(ledger.state().status).toBe("open"));

describe("F9: a ledger whose disk failed", () => {
  it.each([
    ["ENOSPC", "write", 0],
    ["ENOSPC", "write", 40],
    ["EIO", "write", 100],
    ["EROFS", "write", 0],
    ["EIO", "sync", 0],
  ] as const)("refuses, and goes on when the disk does (%s at %s, %i bytes written)", async (code, what, partial) => {
    const { folder, files, ledger } = await begin();
    files.partial = partial;
    files[what] = code;
    const lost = await Promise.allSettled([
      ledger.append([{ n: "lost" }, { n: "lost" }]),
      ledger.append([{ n: "lost" }]),
    ]);
    for (const { status, ...rest } of lost) {
      expect(status).toBe("rejected");
      expect(rest).toMatchObject({ reason: { code: "audit-event/ledger-failed", retryable: false } });
    }
    expect(ledger.state()).toMatchObject({ status: "failed", because: code, durable: { entries: 5 }, queuedBytes: 0 });
    await expect(ledger.append([{}])).rejects.toMatchObject({ code: "audit-event/ledger-failed", retryable: true });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(ledger.state().status).toBe("failed");

    files[what] = undefined;
    await healed(ledger);
    expect((await ledger.append([{ n: 5 }])).entries).toBe(7);
    const events = await eventsOf(folder);
    expect(events.map((event) => event["n"])).toEqual([0, 1, 2, 3, 4, undefined, 5]);
    const facts = ["because", "since", "inDoubt", "bytes"];
    expect(events[5]).toMatchObject({
      subtype: [{ code: "110134" }],
      outcome: "8",
      entity: [{ name: "healed", detail: facts.map((type) => ({ type })) }],
    });
    expect(JSON.stringify(events[5])).toContain(`"inDoubt","valueString":"3"`);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 7 });
  });

  it("takes a file that was begun for what was never acknowledged away", async () => {
    const { folder, files, ledger } = await begin(1024);
    files.sync = "EIO";
    const many = Array.from({ length: 9 }, (_, n) => ({ n, pad: "x".repeat(100) }));
    await expect(ledger.append(many)).rejects.toMatchObject({ retryable: false });
    files.sync = undefined;
    await healed(ledger);
    await ledger.append([{ n: 5 }]);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 7 });
  });

  it.each([
    ["was changed", (bytes: Buffer) => Buffer.from(bytes.toString().replace('"n":2', '"n":7'))],
    ["is shorter", (bytes: Buffer) => bytes.subarray(0, -300)],
  ])("never guesses: when what was acknowledged %s, it stays failed and writes nothing", async (_what, spoil) => {
    const { folder, files, ledger } = await begin();
    const file = join(folder, (await segmentFiles(folder))[0] ?? "");
    files.write = "EIO";
    await expect(ledger.append([{}])).rejects.toMatchObject({ retryable: false });
    const spoilt = spoil(await readFile(file));
    await writeFile(file, spoilt);
    files.write = undefined;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(ledger.state()).toMatchObject({ status: "failed", because: "audit-event/ledger-broken" });
    expect(await readFile(file)).toEqual(spoilt);
  });

  it("stays failed when a stranger has written a file after its own", async () => {
    const { folder, files, ledger } = await begin();
    files.write = "EIO";
    await expect(ledger.append([{}])).rejects.toMatchObject({ retryable: false });
    await appendFile(join(folder, "edge.0000000000000099.jsonl"), "not ours");
    files.write = undefined;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(ledger.state().status).toBe("failed");
    expect(await segmentFiles(folder)).toContain("edge.0000000000000099.jsonl");
  });

  it("can be closed while it is failed, and is well when it is opened again", async () => {
    const { folder, files, ledger } = await begin();
    files.partial = 30;
    files.write = "ENOSPC";
    await expect(ledger.append([{}])).rejects.toMatchObject({ retryable: false });
    await ledger.close();
    files.write = undefined;
    open = await openLedgerOn(files, { folder });
    expect(open.state()).toMatchObject({ status: "open", durable: { entries: 6 }, recovered: { bytes: 30 } });
  });
});

describe("the clock", () => {
  it("is noted when it goes back, also across openings, and not when it is slewed", async () => {
    const folder = await emptyFolder();
    const times = [10_000, 9_500, 20_000, 5_000, 5_001];
    const open1 = await openLedgerOn(failingFiles(), { folder, now: () => times.shift() ?? 5_001 });
    for (let n = 0; n < 4; n++) await open1.append([{ n }]);
    await open1.close();
    const open2 = await openLedgerOn(failingFiles(), { folder, now: () => 1_000 });
    await open2.append([{ n: 4 }]);
    await open2.close();
    const events = await eventsOf(folder);
    const notes = events.filter((event) => event["n"] === undefined);
    expect(notes.length).toBe(2);
    expect(notes[1]).toMatchObject({
      entity: [{ name: "clock-went-back", detail: [{ type: "from" }, { valueString: "1970-01-01T00:00:01.000Z" }] }],
    });
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, clockWentBack: 2 });
  });
});
