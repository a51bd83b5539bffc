import { appendFile, cp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LedgerPosition } from "../src/index.ts";
import { classify } from "../src/ledger/classify.ts";
import { renderEntry } from "../src/ledger/entry.ts";
import { listSegments } from "../src/ledger/segments.ts";
import { type Fault, type FaultCause, walkLedger, walkSegment } from "../src/ledger/walk.ts";
import { segmentFiles } from "./support/folders.ts";
import { ledgerOf } from "./support/ledgers.ts";

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

  it("believes nothing of a file whose first line is no entry, or that is empty", async () => {
    const { folder } = await ledgerOf(6);
    const [, , last = ""] = await segmentFiles(folder);
    await writeFile(join(folder, last), "nonsense\n");
    expect(await faultOf(folder, 4)).toMatchObject({ cause: "entry", at: { line: 1, seq: 4 }, before: { hash: "" } });
    await writeFile(join(folder, last), "");
    const kinds: string[] = [];
    for await (const step of walkLedger(folder, 4)) kinds.push(step.kind);
    expect(kinds).toEqual(["begin", "segment"]);
  });

  it.each<[FaultCause, (folder: string, files: string[]) => Promise<void>]>([
    ["base", (folder) => writeFile(join(folder, "edge.base"), "{}\n")],
    [
      "foreign-segment",
      (folder, [, file = ""]) => rename(join(folder, file), join(folder, file.replace("edge", "zz"))),
    ],
    ["segment-gap", (folder, [, file = ""]) => rm(join(folder, file))],
    ["segment-overlap", (folder, [, file = ""]) => cp(join(folder, file), join(folder, "edge.0000000000000001.jsonl"))],
    ["torn", (folder, [, , file = ""]) => appendFile(join(folder, file), "x")],
    ["entry", (folder, [, , file = ""]) => appendFile(join(folder, file), "x\n")],
    ["not-ended", (folder, [file = ""]) => appendFile(join(folder, file), "x")],
  ])("ends with the fault: %s", async (cause, spoil) => {
    const { folder } = await ledgerOf(6);
    await spoil(folder, await segmentFiles(folder));
    const causes: string[] = [];
    for await (const step of walkLedger(folder))
      causes.push(step.kind === "fault" ? `fault: ${step.cause}` : step.kind);
    expect(causes.indexOf(`fault: ${cause}`)).toBe(causes.length - 1);
  });

  it("tells where a file does not fit, and why", async () => {
    const { folder, heads } = await ledgerOf(6);
    const [, middle = "", last = ""] = await segmentFiles(folder);
    const stranger = last.replace("edge", "zz");
    await rename(join(folder, last), join(folder, stranger));
    expect(await faultOf(folder)).toEqual({
      kind: "fault",
      cause: "foreign-segment",
      at: { file: stranger, line: 0, seq: 4 },
      because: "the segment belongs to another ledger",
      before: heads[4],
    });
    await rename(join(folder, stranger), join(folder, last));
    await rm(join(folder, middle));
    expect(await faultOf(folder)).toEqual({
      kind: "fault",
      cause: "segment-gap",
      at: { file: last, line: 0, seq: 2 },
      because: "the segment does not begin where the entries before it end",
      before: heads[2],
    });
  });

  it("of one segment ends with its fault", async () => {
    const { folder, heads } = await ledgerOf(2);
    const [segment] = await listSegments(folder);
    if (segment === undefined) throw new Error("there is one");
    const stepsOf = async (start = heads[0] as LedgerPosition): Promise<string[]> => {
      const seen: string[] = [];
      for await (const step of walkSegment(folder, segment, start, true)) {
        seen.push(step.kind === "fault" ? step.cause : step.kind);
      }
      return seen;
    };
    expect(await stepsOf()).toEqual(["segment", "entry", "entry"]);
    expect(await stepsOf(heads[1])).toEqual(["segment", "entry"]);
    await appendFile(join(folder, segment.file), "x");
    expect(await stepsOf()).toEqual(["segment", "entry", "entry", "torn"]);
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

describe("the kind of a change that what stands around shows", () => {
  it("is judged by the last time that can be read in the file before", async () => {
    const { folder, heads } = await ledgerOf(4);
    const [before = "", file = ""] = await segmentFiles(folder);
    await appendFile(join(folder, before), "nonsense\n");
    const classified = (at: string): Promise<string> => {
      const { line } = renderEntry({ entries: 2, hash: "0".repeat(64) }, at, { kind: "plain", text: "{}" });
      const place = { file, line: 1, seq: 2 };
      const fault = { kind: "fault", cause: "entry", at: place, because: "" } as const;
      return writeFile(join(folder, file), line).then(() =>
        classify(folder, { ...fault, before: heads[2] as LedgerPosition }),
      );
    };
    expect(await classified("1970-01-01T00:00:01.000Z")).toBe("replayed-segment");
    expect(await classified("1970-01-01T00:00:02.000Z")).toBe("edit");
  });

  it("is an edit where no file before tells another time", async () => {
    const { folder } = await ledgerOf(2);
    const [file = ""] = await segmentFiles(folder);
    const [line = ""] = (await readFile(join(folder, file), "utf8")).split("\n");
    const { seq } = JSON.parse(line) as { seq: number };
    const at = { file, line: 1, seq };
    // As after an expiry: the file is the first, and entries came before it.
    const lines = renderEntry({ entries: 4, hash: "0".repeat(64) }, "1970-01-01T00:00:01.000Z", {
      kind: "plain",
      text: "{}",
    });
    await writeFile(join(folder, file), lines.line);
    const before = { entries: 4, hash: "1".repeat(64) };
    expect(await classify(folder, { kind: "fault", cause: "entry", at, because: "", before })).toBe("edit");
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
