import { appendFile, cp, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type LedgerChange, type LedgerPosition, openLedger, verifyLedger } from "../src/index.ts";
import { renderEntry } from "../src/ledger/entry.ts";
import { copyOf, emptyFolder, segmentFiles } from "./support/folders.ts";
import { newSigner, notesIn } from "./support/signed.ts";

const signer = newSigner();
const keys = [signer.verifierKey];
const PAD = "ö".repeat(75);
/** Bytes; an entry has at most 64 MiB. */
const TOO_LONG = 65 * 1024 * 1024;

/** Six entries, two in each segment. */
async function grow(folder: string, events: readonly object[], by = signer, start = 0): Promise<LedgerPosition> {
  let clock = start;
  const ledger = await openLedger({ folder, signer: by, segmentBytes: 1024, now: () => clock });
  for (const event of events) {
    clock += 1000;
    await ledger.append([event]);
  }
  await ledger.close();
  return ledger.state().durable;
}

const EVENTS = Array.from({ length: 6 }, (_, n) => ({ n, pad: PAD }));
let original = "";
beforeAll(async () => {
  original = await emptyFolder();
  await grow(original, EVENTS);
});

/** Lines of the whole ledger, changed, in the files they were in. */
async function rewrite(change: (lines: string[]) => string[]): Promise<string> {
  const folder = await copyOf(original);
  const files = await segmentFiles(folder);
  const parts = await Promise.all(
    files.map(async (file) => (await readFile(join(folder, file), "utf8")).split(/(?<=\n)/)),
  );
  const counts = parts.map((lines) => lines.filter((line) => line !== "").length);
  const lines = change(parts.flat().filter((line) => line !== ""));
  for (const [index, file] of files.entries()) {
    const isLast = index === files.length - 1;
    await writeFile(join(folder, file), lines.splice(0, isLast ? lines.length : counts[index]).join(""));
  }
  return folder;
}

const swapped = (lines: string[], a: number, b: number): string[] =>
  lines.map((line, at) => (at === a ? (lines[b] ?? "") : at === b ? (lines[a] ?? "") : line));

/** A line by the rules, in a place where another stands. */
function forged(lines: readonly string[], seq: number): string {
  const { prev } = JSON.parse(lines[seq] ?? "{}") as { prev: string };
  const event = { kind: "plain" as const, text: '{"forged":true}' };
  return renderEntry({ entries: seq, hash: prev }, "1970-01-01T00:00:09.000Z", event).line.toString();
}

/** Everything from `seq` on written anew by the rules: what somebody who has the files but not the key can do. */
function rechained(lines: readonly string[], seq: number, events: readonly string[]): string[] {
  const { prev } = JSON.parse(lines[seq] ?? "{}") as { prev: string };
  let position: LedgerPosition = { entries: seq, hash: prev };
  const fresh = events.map((text) => {
    const { line, after } = renderEntry(position, "1970-01-01T00:00:09.000Z", { kind: "plain", text });
    position = after;
    return line.toString();
  });
  return [...lines.slice(0, seq), ...fresh];
}

describe("A15: what was done to a ledger is named, with the place", () => {
  it.each<[string, LedgerChange, number, (lines: string[]) => string[]]>([
    [
      "an event is changed",
      "edit",
      3,
      (lines) => lines.map((line, n) => (n === 3 ? line.replace('"n":3', '"n":9') : line)),
    ],
    [
      "an entry is written anew, hash and all, and the next does not follow",
      "edit",
      4,
      (lines) => lines.with(3, forged(lines, 3)),
    ],
    ["a line is not even an entry any more", "edit", 2, (lines) => lines.with(2, "nonsense\n")],
    ["an entry is put in by the rules", "insertion", 3, (lines) => lines.toSpliced(2, 0, forged(lines, 2))],
    ["an entry is repeated", "insertion", 2, (lines) => lines.toSpliced(2, 0, lines[1] ?? "")],
    ["a line of nonsense is put in", "insertion", 4, (lines) => lines.toSpliced(4, 0, "nonsense\n")],
    ["a blank line is put in", "insertion", 5, (lines) => lines.toSpliced(5, 0, "\n")],
    ["an entry is taken out", "deletion", 3, (lines) => lines.toSpliced(3, 1)],
    ["two entries are taken out", "deletion", 1, (lines) => lines.toSpliced(1, 2)],
    ["neighbours are exchanged", "reorder", 2, (lines) => swapped(lines, 2, 3)],
    ["distant entries are exchanged", "reorder", 0, (lines) => swapped(lines, 0, 5)],
    ["the last entry is cut off", "truncation", 5, (lines) => lines.slice(0, 5)],
    ["the last line is torn", "torn", 5, (lines) => lines.with(5, (lines[5] ?? "").slice(0, 60))],
  ])("%s: %s", async (_what, change, seq, edit) => {
    const folder = await rewrite(edit);
    const verdict = await verifyLedger(folder, { keys });
    expect(verdict).toMatchObject({ ok: false, change });
    // An entry put in shows when the one it displaced comes.
    expect(verdict.ok ? -1 : Math.abs(verdict.at.seq - seq)).toBeLessThanOrEqual(change === "insertion" ? 1 : 0);
  });

  it("everything from an entry on is written anew, hashes and all: the checkpoints say between which", async () => {
    const texts = EVENTS.map((event) => JSON.stringify(event));
    const folder = await rewrite((lines) => rechained(lines, 3, ['{"n":3}', ...texts.slice(4)]));
    expect(await verifyLedger(folder)).toMatchObject({ ok: true });
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: false, change: "edit", at: { seq: 2 } });
  });

  it.each<[string, LedgerChange, (folder: string, files: string[]) => Promise<void>]>([
    ["a segment in the middle is gone", "deletion", (folder, [, file = ""]) => rm(join(folder, file))],
    ["the last segment is gone", "truncation", (folder, [, , file = ""]) => rm(join(folder, file))],
    [
      "a segment is an earlier one again",
      "replayed-segment",
      (folder, [first = "", , last = ""]) => cp(join(folder, first), join(folder, last)),
    ],
    [
      "an earlier segment is there under another number",
      "replayed-segment",
      (folder, [first = ""]) => cp(join(folder, first), join(folder, "edge.0000000000000005.jsonl")),
    ],
    [
      "a segment is another ledger's",
      "replayed-segment",
      (folder, [, file = ""]) => rename(join(folder, file), join(folder, file.replace("edge", "zzzz"))),
    ],
  ])("%s: %s", async (_what, change, spoil) => {
    const folder = await copyOf(original);
    await spoil(folder, await segmentFiles(folder));
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: false, change });
  });

  it("a segment is of the same number in an older ledger of the same name", async () => {
    const [older, folder] = [await emptyFolder(), await copyOf(original)];
    await grow(older, EVENTS, signer, -1_000_000);
    const [, file = ""] = await segmentFiles(older);
    await cp(join(older, file), join(folder, file));
    expect(await verifyLedger(folder)).toMatchObject({
      ok: false,
      change: "replayed-segment",
      at: { seq: 2, line: 1 },
    });
  });

  it.each<[string, LedgerChange, (text: string) => string]>([
    ["signed by a stranger", "forged-checkpoint", (text) => text],
    ["without its line end", "forged-checkpoint", (text) => text.trimEnd()],
    ["with another size", "forged-checkpoint", (text) => text.replace("\\n2\\n", "\\n3\\n")],
    ["with a member more", "forged-checkpoint", (text) => text.replace('"v":1', '"v":1,"w":1')],
    ["gone", "truncation", () => ""],
  ])("a checkpoint that is %s: %s", async (what, change, edit) => {
    const folder = await emptyFolder();
    await grow(folder, EVENTS, what === "signed by a stranger" ? newSigner() : signer);
    for (const file of (await readdir(folder)).filter((name) => name.endsWith(".checkpoints"))) {
      const text = await readFile(join(folder, file), "utf8");
      await writeFile(join(folder, file), edit(text));
    }
    const verdict = await verifyLedger(folder, { keys });
    expect(verdict).toMatchObject({ ok: false, change });
  });

  it("entries and checkpoints cut off together show against a checkpoint kept elsewhere", async () => {
    const folder = await copyOf(original);
    const outside = (await notesIn(folder)).at(-1) ?? "";
    const files = (await readdir(folder)).filter((name) => name.includes("0000000000000004"));
    expect(files.length).toBe(2);
    for (const file of files) await rm(join(folder, file));
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true, entries: 4 });
    expect(await verifyLedger(folder, { keys, expectCheckpoint: outside })).toMatchObject({
      ok: false,
      change: "truncation",
    });
    expect(await verifyLedger(original, { keys, expectCheckpoint: outside })).toMatchObject({ ok: true });
    await expect(verifyLedger(folder, { expectCheckpoint: outside })).rejects.toMatchObject({
      issues: [{ path: "expectCheckpoint" }],
    });
  });

  it("a last checkpoint that a crash left unfinished is torn, and gone when the ledger was opened again", async () => {
    const folder = await copyOf(original);
    const file =
      (await readdir(folder))
        .filter((name) => name.endsWith(".checkpoints"))
        .sort()
        .at(-1) ?? "";
    await appendFile(join(folder, file), '{"hash":"12');
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: false, change: "torn", at: { file } });
    await grow(folder, [{ n: 6 }], signer, 10_000);
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true, entries: 7 });
  });

  it("a last line that is longer than any entry can be is no torn one, which could be put aside", async () => {
    const folder = await copyOf(original);
    const last = join(folder, (await segmentFiles(folder)).at(-1) ?? "");
    const { size } = await stat(last);
    await truncate(last, size + TOO_LONG);
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: false, change: "deletion" });
  });
});
