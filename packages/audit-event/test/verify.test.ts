import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LedgerPosition, openLedger, readLedger, verifyLedger } from "../src/index.ts";
import { type Base, renderBase } from "../src/ledger/base.ts";
import { genesisHash, renderEntry } from "../src/ledger/entry.ts";
import { walkLedger } from "../src/ledger/walk.ts";
import { renderCheckpoint } from "../src/merkle/checkpoint.ts";
import { emptyFolder, segmentFiles } from "./support/folders.ts";
import { ledgerOf } from "./support/ledgers.ts";
import { newSigner, notesIn } from "./support/signed.ts";

const signer = newSigner();
const keys = [signer.verifierKey];

/** A ledger without checkpoints, of entries at these times. */
async function timesOf(...times: readonly number[]): Promise<string> {
  const folder = await emptyFolder();
  let at: LedgerPosition = { entries: 0, hash: genesisHash("edge") };
  const lines = times.map((time) => {
    const { line, after } = renderEntry(at, new Date(time).toISOString(), { kind: "plain", text: "{}" });
    at = after;
    return line.toString();
  });
  await writeFile(join(folder, "edge.0000000000000000.jsonl"), lines.join(""));
  return folder;
}

const mistakes = (options: object): Promise<unknown> =>
  verifyLedger("nowhere", options).then(
    () => "no mistake",
    (error: { issues?: readonly { path: string; code: string }[]; code?: string }) =>
      error.issues?.map(({ path, code }) => `${path} ${code}`) ?? error.code,
  );

describe("options of verifyLedger", () => {
  it.each<[string, object, unknown]>([
    ["none", {}, "ENOENT"],
    ["a name that is none", { kyes: [] }, ["kyes unknown-option"]],
    ["no key at all", { keys: [] }, ["keys required"]],
    ["a key that is none, after one that is", { keys: [...keys, "x"] }, ["keys[1] malformed"]],
    ["good keys", { keys }, "ENOENT"],
    ["a checkpoint nobody signed", { keys, expectCheckpoint: "text" }, ["expectCheckpoint not-signed"]],
    ["a time that is none", { expectSince: Number.NaN }, ["expectSince not-a-time"]],
    ["what is no function", { onProgress: 1 }, ["onProgress not-a-function"]],
    ["a function", { onProgress: () => undefined }, "ENOENT"],
  ])("%s", async (_what, options, expected) => {
    expect(await mistakes(options)).toEqual(expected);
  });

  it("says what to write instead, and of which call", async () => {
    await expect(verifyLedger("nowhere", { keys: ["x"] })).rejects.toMatchObject({
      message: expect.stringContaining("verifyLedger()") as string,
      issues: [{ message: "give a verifier key: name+id+base64" }],
    });
    await expect(verifyLedger("nowhere", { keys: [] })).rejects.toMatchObject({
      issues: [{ message: "give at least one verifier key, or leave it out" }],
    });
    await expect(verifyLedger("nowhere", { onProgress: 1 as never })).rejects.toMatchObject({
      issues: [{ message: "give a function" }],
    });
  });
});

describe("A15: a ledger that is whole", () => {
  it("is told with its size, its head and what its checkpoints cover", async () => {
    const { folder, heads } = await ledgerOf(6, signer);
    const common = { ok: true, entries: 6, segments: 3, head: heads[6], from: 0, clockWentBack: 0 };
    expect(await verifyLedger(folder)).toEqual({ ...common, checkpoints: "not-checked" });
    const agreed = (await notesIn(folder)).length;
    expect(await verifyLedger(folder, { keys })).toEqual({ ...common, checkpoints: { agreed, entries: 6 } });
  });

  it("holds every head it ever had", async () => {
    const { folder, heads } = await ledgerOf(3, signer);
    for (const expectHead of heads) expect(await verifyLedger(folder, { expectHead })).toMatchObject({ ok: true });
  });

  it("may be one in which nothing happened", async () => {
    const { folder, heads } = await ledgerOf(0, signer);
    const common = { ok: true, entries: 0, segments: 1, head: heads[0], from: 0, clockWentBack: 0 };
    expect(await verifyLedger(folder, { keys })).toEqual({ ...common, checkpoints: { agreed: 1, entries: 0 } });
  });

  it("may have begun without a signer", async () => {
    const folder = await emptyFolder();
    await (await openLedger({ folder })).close();
    const checkpoints = { agreed: 0, entries: 0 };
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true, entries: 0, checkpoints });
  });

  it("counts how often its clock went back, by more than clocks are slewed", async () => {
    expect(await verifyLedger(await timesOf(5000, 4000, 3000, 3000))).toMatchObject({ ok: true, clockWentBack: 0 });
    expect(await verifyLedger(await timesOf(5000, 3999, 6000, 4999))).toMatchObject({ ok: true, clockWentBack: 2 });
    expect(await verifyLedger(await timesOf(-5000, 3999))).toMatchObject({ ok: true, clockWentBack: 0 });
  });
});

describe("A15: a ledger that is not", () => {
  it("is none, in an empty folder", async () => {
    expect(await verifyLedger(await emptyFolder())).toEqual({
      ok: false,
      change: "deletion",
      at: { file: "", line: 0, seq: 0 },
      because: "there is no ledger in the folder",
      verified: { entries: 0, hash: "" },
    });
  });

  it("has another entry than the expected head names, at that place", async () => {
    const { folder, heads } = await ledgerOf(6, signer);
    const expectHead = { entries: 3, hash: "0".repeat(64) };
    expect(await verifyLedger(folder, { expectHead })).toEqual({
      ok: false,
      change: "edit",
      at: { file: (await segmentFiles(folder))[1], line: 1, seq: 2 },
      because: "the entry is not the one the expected head names",
      verified: heads[3],
    });
  });

  it("begins otherwise than the expected head says", async () => {
    const { folder, heads } = await ledgerOf(2, signer);
    const expectHead = { entries: 0, hash: "0".repeat(64) };
    expect(await verifyLedger(folder, { expectHead })).toMatchObject({
      ok: false,
      change: "edit",
      at: { file: (await segmentFiles(folder))[0], line: 0, seq: 0 },
      verified: heads[0],
    });
  });

  it("ends before the expected head, and holds until there", async () => {
    const { folder, heads } = await ledgerOf(2, signer);
    const expectHead = { entries: 3, hash: "0".repeat(64) };
    expect(await verifyLedger(folder, { expectHead })).toMatchObject({
      ok: false,
      change: "truncation",
      at: { line: 2, seq: 1 },
      because: "the ledger ends before the expected head",
      verified: heads[2],
    });
  });

  it("has lost every checkpoint, which one with a signer has from its first entry on", async () => {
    const { folder } = await ledgerOf(2, signer);
    for (const file of await segmentFiles(folder)) {
      await rm(join(folder, file.replace(".jsonl", ".checkpoints")), { force: true });
    }
    expect(await verifyLedger(folder, { keys })).toMatchObject({
      ok: false,
      change: "truncation",
      because: "no checkpoint is left: a ledger with a signer has one from its first entry on",
    });
    expect(await verifyLedger(folder)).toMatchObject({ ok: true });
  });

  it("has an unfinished last checkpoint", async () => {
    const { folder, heads } = await ledgerOf(2, signer);
    const [file = ""] = (await segmentFiles(folder)).map((name) => name.replace(".jsonl", ".checkpoints"));
    await appendFile(join(folder, file), '{"hash"');
    expect(await verifyLedger(folder, { keys })).toEqual({
      ok: false,
      change: "torn",
      at: { file, line: 0, seq: 2 },
      because: "the last checkpoint is not ended",
      verified: heads[2],
    });
  });

  it("has a base that is none", async () => {
    const { folder } = await ledgerOf(2, signer);
    await writeFile(join(folder, "edge.base"), "{}\n");
    expect(await verifyLedger(folder)).toEqual({
      ok: false,
      change: "edit",
      at: { file: "edge.base", line: 1, seq: 0 },
      because: "the base is malformed",
      verified: { entries: 0, hash: "" },
    });
  });

  it("has a last segment that is from another time", async () => {
    const { folder } = await ledgerOf(6, signer);
    const [, , last = ""] = await segmentFiles(folder);
    const path = join(folder, last);
    const entryAt = (at: string): string =>
      renderEntry({ entries: 4, hash: "0".repeat(64) }, at, { kind: "plain", text: "{}" }).line.toString();
    await writeFile(path, entryAt("1970-01-01T00:00:03.000Z"));
    expect(await verifyLedger(folder)).toMatchObject({ change: "replayed-segment", at: { line: 1, seq: 4 } });
    // At the time of the entry before, or later, it is what stands before that was written anew.
    await writeFile(path, entryAt("1970-01-01T00:00:04.000Z"));
    expect(await verifyLedger(folder)).toMatchObject({ change: "edit", at: { line: 1, seq: 4 } });
  });

  it("has a line in the middle of a file that is not ended: an edit when only the line's end is gone", async () => {
    const { folder, heads } = await ledgerOf(6, signer);
    const [, file = ""] = await segmentFiles(folder);
    const whole = await readFile(join(folder, file), "utf8");
    await writeFile(join(folder, file), `${whole.slice(0, -1)}x`);
    const verdict = { ok: false, because: "the line is not ended", at: { file, line: 2, seq: 3 }, verified: heads[3] };
    expect(await verifyLedger(folder)).toEqual({ ...verdict, change: "edit" });
    await writeFile(join(folder, file), whole.slice(0, -30));
    expect(await verifyLedger(folder)).toEqual({ ...verdict, change: "deletion" });
  });
});

describe("A15: a ledger whose first segments have expired", () => {
  const DAY = 86_400_000;

  /** Files of two entries and more; the first have expired. */
  async function expired(): Promise<string> {
    const folder = await emptyFolder();
    for (const day of [0, 10, 20, 45, 46]) {
      const retention = { days: 30 };
      const ledger = await openLedger({ folder, signer, segmentBytes: 1024, retention, now: () => day * DAY });
      for (let n = 0; n < 6; n++) await ledger.append([{ day, n }]);
      await ledger.close();
    }
    return folder;
  }

  it("verifies from its base on, which a signed checkpoint vouches for", async () => {
    const folder = await expired();
    const base = JSON.parse(await readFile(join(folder, "edge.base"), "utf8")) as { entries: number };
    const [first = ""] = await segmentFiles(folder);
    expect(first).toBe(`edge.${String(base.entries).padStart(16, "0")}.jsonl`);
    const whole = await verifyLedger(folder, { keys });
    expect(whole).toMatchObject({ ok: true, from: base.entries });
    expect(whole.ok && whole.segments).toBe((await segmentFiles(folder)).length);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, from: base.entries });
    const stranger = [newSigner().verifierKey];
    expect(await verifyLedger(folder, { keys: stranger })).toMatchObject({
      ok: false,
      change: "forged-checkpoint",
      at: { file: "edge.base", line: 1, seq: base.entries },
    });
  });

  it("A15: does not hold an expected head or checkpoint that lies before its base", async () => {
    const folder = await expired();
    const { entries } = JSON.parse(await readFile(join(folder, "edge.base"), "utf8")) as { entries: number };
    const gone = {
      ok: false,
      change: "deletion",
      at: { file: "edge.base", line: 1, seq: entries - 1 },
      because: "the ledger begins after what it is expected to hold",
    };
    const expectHead = { entries: entries - 1, hash: "0".repeat(64) };
    expect(await verifyLedger(folder, { expectHead })).toMatchObject(gone);
    expect(await verifyLedger(folder, { keys, expectHead })).toMatchObject(gone);
    const text = renderCheckpoint({ origin: "audit.example.org/edge", size: entries - 1, root: Buffer.alloc(32) });
    const expectCheckpoint = await signer.sign(text);
    expect(await verifyLedger(folder, { keys, expectCheckpoint })).toMatchObject(gone);
  });

  it("A15: must reach back to where it is expected to", async () => {
    const folder = await expired();
    let at = "";
    for await (const entry of readLedger(folder)) {
      at = entry.at;
      break;
    }
    const begins = Date.parse(at);
    for (const expectSince of [begins, begins + 1]) {
      expect(await verifyLedger(folder, { keys, expectSince })).toMatchObject({ ok: true });
    }
    const late = {
      ok: false,
      change: "deletion",
      at: { file: "edge.base" },
      because: "the ledger begins later than it is expected to",
    };
    expect(await verifyLedger(folder, { keys, expectSince: begins - 1 })).toMatchObject(late);
    // What begins with its first entry lacks none.
    for (const entries of [0, 3]) {
      const { folder: whole } = await ledgerOf(entries, signer);
      expect(await verifyLedger(whole, { keys, expectSince: 0 })).toMatchObject({ ok: true, entries });
    }
    await expect(verifyLedger(folder, { expectSince: Number.NaN })).rejects.toThrow(/milliseconds/);
  });

  it("A15: of which nothing is left behind the base reaches back to no time at all", async () => {
    const folder = await expired();
    // Whoever can write the files has the signed end of every file at hand, and cuts the ledger off at the last.
    const segments = await segmentFiles(folder);
    const last = segments.at(-1) ?? "";
    const seq = Number(last.split(".")[1]);
    const ends = await readFile(join(folder, (segments.at(-2) ?? "").replace(".jsonl", ".checkpoints")), "utf8");
    const { note, hash, frontier } = JSON.parse(ends.trimEnd().split("\n").at(-1) ?? "") as Omit<Base, "entries">;
    for (const file of await readdir(folder)) await rm(join(folder, file));
    await writeFile(join(folder, "edge.base"), renderBase({ entries: seq, hash, frontier, note }));
    await writeFile(join(folder, last), "");
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true, entries: seq, from: seq });
    expect(await verifyLedger(folder, { keys, expectSince: 46 * DAY })).toMatchObject({
      ok: false,
      change: "deletion",
      at: { file: "edge.base", line: 1, seq: seq - 1 },
      because: "the ledger begins later than it is expected to",
    });
  });

  it("A15: must be the ledger of the instance that is expected", async () => {
    const { folder } = await ledgerOf(3, signer);
    expect(await verifyLedger(folder, { keys, instance: "edge" })).toMatchObject({ ok: true });
    expect(await verifyLedger(folder, { keys, instance: "edge-2" })).toMatchObject({
      ok: false,
      change: "replayed-segment",
      because: "it is the ledger of edge",
    });
  });

  it("A15: written anew behind a base of somebody's own does not hold the expected head", async () => {
    const { folder, heads } = await ledgerOf(6, signer);
    for (const file of await readdir(folder)) await rm(join(folder, file));
    const before = { entries: 7, hash: "1".repeat(64) };
    await writeFile(join(folder, "edge.base"), renderBase({ ...before, frontier: [], note: "" }));
    const { line } = renderEntry(before, "2026-01-31T12:00:00.000Z", { kind: "plain", text: "{}" });
    await writeFile(join(folder, "edge.0000000000000007.jsonl"), line);
    expect(await verifyLedger(folder, { expectHead: heads.at(-1) ?? before })).toMatchObject({ ok: false });
  });

  it("passes over files below its base, which a crash may have left", async () => {
    const folder = await expired();
    await writeFile(join(folder, "edge.0000000000000000.jsonl"), "left behind\n");
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true });
  });

  it("with nothing behind its base has lost what was there", async () => {
    const folder = await expired();
    const base = JSON.parse(await readFile(join(folder, "edge.base"), "utf8")) as { entries: number; hash: string };
    for (const file of await segmentFiles(folder)) await rm(join(folder, file));
    await writeFile(join(folder, "edge.0000000000000000.jsonl"), "left behind\n");
    expect(await verifyLedger(folder)).toEqual({
      ok: false,
      change: "deletion",
      at: { file: "edge.0000000000000000.jsonl", line: 0, seq: base.entries },
      because: "the segment does not begin where the entries before it end",
      verified: { entries: 0, hash: "" },
    });
    const kinds: string[] = [];
    for await (const step of walkLedger(folder)) kinds.push(step.kind);
    expect(kinds).toEqual(["begin", "fault"]);
  });

  it("whose base does not fit its files holds nothing", async () => {
    const folder = await expired();
    const path = join(folder, "edge.base");
    const text = await readFile(path, "utf8");
    const { hash } = JSON.parse(text) as { hash: string };
    await writeFile(path, text.replace(`"hash":"${hash}"`, `"hash":"${"0".repeat(64)}"`));
    expect(await verifyLedger(folder)).toMatchObject({ ok: false, change: "edit", at: { line: 1 } });
    await writeFile(path, text.replace(/"frontier":\[[^\]]*\]/, '"frontier":[]'));
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: false, change: "forged-checkpoint" });
    const [node = ""] = (JSON.parse(text) as { frontier: string[] }).frontier;
    await writeFile(path, text.replace(node, "0".repeat(64)));
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: false, change: "forged-checkpoint" });
  });
});
