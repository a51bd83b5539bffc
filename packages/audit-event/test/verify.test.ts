import { appendFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LedgerPosition, openLedger, verifyLedger } from "../src/index.ts";
import { classify } from "../src/ledger/classify.ts";
import { genesisHash, renderEntry } from "../src/ledger/entry.ts";
import { type Fault, type FaultCause, walkLedger } from "../src/ledger/walk.ts";
import { emptyFolder, segmentFiles } from "./support/folders.ts";
import { newSigner, notesIn } from "./support/signed.ts";

const signer = newSigner();
const keys = [signer.verifierKey];
const PAD = "ö".repeat(75);

/** Entries one second apart, two in each segment. */
async function ledgerOf(count: number, by = signer): Promise<{ folder: string; heads: LedgerPosition[] }> {
  const folder = await emptyFolder();
  let clock = 0;
  const ledger = await openLedger({ folder, signer: by, segmentBytes: 1024, now: () => clock });
  const heads = [ledger.state().durable];
  for (let n = 0; n < count; n++) {
    clock += 1000;
    heads.push(await ledger.append([{ n, pad: PAD }]));
  }
  await ledger.close();
  return { folder, heads };
}

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
    const { folder, heads } = await ledgerOf(6);
    const common = { ok: true, entries: 6, segments: 3, head: heads[6], from: 0, clockWentBack: 0 };
    expect(await verifyLedger(folder)).toEqual({ ...common, checkpoints: "not-checked" });
    const agreed = (await notesIn(folder)).length;
    expect(await verifyLedger(folder, { keys })).toEqual({ ...common, checkpoints: { agreed, entries: 6 } });
  });

  it("may be one in which nothing happened", async () => {
    const { folder, heads } = await ledgerOf(0);
    const common = { ok: true, entries: 0, segments: 1, head: heads[0], from: 0, clockWentBack: 0 };
    expect(await verifyLedger(folder, { keys })).toEqual({ ...common, checkpoints: { agreed: 1, entries: 0 } });
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
    const { folder, heads } = await ledgerOf(6);
    const expectHead = { entries: 3, hash: "0".repeat(64) };
    expect(await verifyLedger(folder, { expectHead })).toEqual({
      ok: false,
      change: "edit",
      at: { file: (await segmentFiles(folder))[1], line: 1, seq: 2 },
      because: "the entry is not the one the expected head names",
      verified: heads[3],
    });
  });

  it("ends before the expected head, and holds until there", async () => {
    const { folder, heads } = await ledgerOf(2);
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
    const { folder } = await ledgerOf(2);
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
    const { folder, heads } = await ledgerOf(2);
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
    const { folder } = await ledgerOf(2);
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
    const { folder } = await ledgerOf(6);
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
    const { folder, heads } = await ledgerOf(6);
    const [, file = ""] = await segmentFiles(folder);
    const whole = await readFile(join(folder, file), "utf8");
    await writeFile(join(folder, file), `${whole.slice(0, -1)}x`);
    const verdict = { ok: false, because: "the line is not ended", at: { file, line: 2, seq: 3 }, verified: heads[3] };
    expect(await verifyLedger(folder)).toEqual({ ...verdict, change: "edit" });
    await writeFile(join(folder, file), whole.slice(0, -30));
    expect(await verifyLedger(folder)).toEqual({ ...verdict, change: "deletion" });
  });
});

describe("a walk along a ledger", () => {
  async function faultOf(folder: string, ...more: [number?, LedgerPosition?]): Promise<Fault | undefined> {
    for await (const step of walkLedger(folder, ...more)) if (step.kind === "fault") return step;
    return undefined;
  }

  it("F15: tells where an unfinished last line begins, which a crash leaves, and no other", async () => {
    const { folder, heads } = await ledgerOf(3);
    const [first = "", last = ""] = await segmentFiles(folder);
    const { size } = await stat(join(folder, last));
    await appendFile(join(folder, last), '{"v"');
    expect(await faultOf(folder)).toEqual({
      kind: "fault",
      cause: "torn",
      at: { file: last, line: 2, seq: 3 },
      because: "the line is not ended",
      before: heads[3],
      tornAt: size,
    });
    const text = await readFile(join(folder, first), "utf8");
    await writeFile(join(folder, first), text.slice(0, -1));
    expect(await faultOf(folder)).toEqual({
      kind: "fault",
      cause: "not-ended",
      at: { file: first, line: 2, seq: 1 },
      because: "the line is not ended",
      before: heads[1],
    });
  });

  it("F15: tells where zeros stand in the last file, which a power cut may leave, and no other", async () => {
    const { folder, heads } = await ledgerOf(4);
    const [first = "", last = ""] = await segmentFiles(folder);
    const spoil = async (file: string, byte: string): Promise<void> => {
      const lines = (await readFile(join(folder, file), "latin1")).split("\n");
      await writeFile(join(folder, file), [byte.repeat(lines[0]?.length ?? 0), ...lines.slice(1)].join("\n"), "latin1");
    };
    await spoil(last, "\0");
    expect(await faultOf(folder)).toMatchObject({
      cause: "entry",
      at: { line: 1, seq: 2 },
      holeAt: 0,
      before: heads[2],
    });
    await spoil(last, " ");
    expect(await faultOf(folder)).not.toHaveProperty("holeAt");
    await spoil(first, "\0");
    expect(await faultOf(folder)).not.toHaveProperty("holeAt");
  });

  it("begins with the file that holds an entry, and believes its link, or what is known", async () => {
    const { folder, heads } = await ledgerOf(6);
    const seen = async (...more: [number?, LedgerPosition?]): Promise<number[]> => {
      const found: number[] = [];
      for await (const step of walkLedger(folder, ...more)) if (step.kind === "entry") found.push(step.entry.seq);
      return found;
    };
    expect(await seen()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await seen(1)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await seen(2)).toEqual([2, 3, 4, 5]);
    expect(await seen(5)).toEqual([4, 5]);
    expect(await seen(99)).toEqual([4, 5]);
    expect(await seen(4, heads[4])).toEqual([4, 5]);
    expect(await faultOf(folder, 4, { entries: 4, hash: "0".repeat(64) })).toMatchObject({ cause: "entry" });
  });

  it("ends at the first fault", async () => {
    const { folder } = await ledgerOf(6);
    const [, middle = ""] = await segmentFiles(folder);
    await writeFile(join(folder, middle), "nonsense\n");
    const kinds: string[] = [];
    for await (const step of walkLedger(folder)) kinds.push(step.kind);
    expect(kinds).toEqual(["begin", "segment", "entry", "entry", "segment", "fault"]);
  });

  it("tells where each entry ends in its file", async () => {
    const { folder } = await ledgerOf(2);
    const [file = ""] = await segmentFiles(folder);
    const lines = (await readFile(join(folder, file), "utf8")).split(/(?<=\n)/);
    const ends: unknown[] = [];
    for await (const step of walkLedger(folder)) {
      if (step.kind === "entry") ends.push([step.at.line, step.at.file, step.end]);
    }
    const first = Buffer.byteLength(lines[0] ?? "");
    expect(ends).toEqual([
      [1, file, first],
      [2, file, first + Buffer.byteLength(lines[1] ?? "")],
    ]);
  });
});

describe("the kind of a change that its place alone shows", () => {
  it.each<[FaultCause, string]>([
    ["torn", "torn"],
    ["base", "edit"],
    ["rewritten", "edit"],
    ["forged-checkpoint", "forged-checkpoint"],
    ["truncated", "truncation"],
    ["segment-gap", "deletion"],
    ["foreign-segment", "replayed-segment"],
    ["segment-overlap", "replayed-segment"],
  ])("%s: %s", async (cause, change) => {
    const fault = { kind: "fault", cause, at: { file: "", line: 0, seq: 0 }, because: "" } as const;
    expect(await classify("nowhere", { ...fault, before: { entries: 0, hash: "" } })).toBe(change);
  });
});
