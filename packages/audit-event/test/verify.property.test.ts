import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LedgerPosition, openLedger, readLedger, verifyLedger } from "../src/index.ts";
import { copyOf, emptyFolder, segmentFiles } from "./support/folders.ts";

/** Six entries in three segments, and the position after each. */
async function smallLedger(): Promise<{ folder: string; files: string[]; heads: LedgerPosition[] }> {
  const folder = await emptyFolder();
  const ledger = await openLedger({ folder, segmentBytes: 1024, now: () => 0 });
  const heads = [ledger.state().durable];
  for (let n = 0; n < 6; n++) heads.push(await ledger.append([{ n, pad: "ö".repeat(75) }]));
  await ledger.close();
  const files = await segmentFiles(folder);
  expect(files.length).toBe(3);
  return { folder, files, heads };
}

describe("verifying a ledger", () => {
  it("A15: notices any one byte changed, in every entry", async () => {
    const { folder, files } = await smallLedger();
    for (const [index, file] of files.entries()) {
      const path = join(folder, file);
      const whole = await readFile(path);
      for (let at = 0; at < whole.length; at++) {
        const spoilt = Buffer.from(whole);
        // Bit 5 turns upper case into lower; the others walk with the position.
        spoilt[at] = (whole[at] ?? 0) ^ (at % 2 === 0 ? 0x20 : 1 << (at % 7));
        await writeFile(path, spoilt);
        const verdict = await verifyLedger(folder);
        if (verdict.ok) expect.fail(`byte ${at} of ${file} was changed and nobody noticed`);
        expect(verdict.at.file).toBe(file);
        expect(verdict.at.seq).toBeGreaterThanOrEqual(index * 2);
        expect(verdict.at.seq).toBeLessThan(index * 2 + 2);
      }
      await writeFile(path, whole);
    }
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 6, segments: 3 });
  });

  it("A15: notices lines exchanged, removed, repeated or put in, wherever they are", async () => {
    const { folder, files, heads } = await smallLedger();
    const line = fc.nat({ max: 5 });
    const edit = fc.oneof(
      fc.record({ kind: fc.constant("exchange" as const), a: line, b: line }),
      fc.record({ kind: fc.constant("remove" as const), a: line, b: line }),
      fc.record({ kind: fc.constant("repeat" as const), a: line, b: line }),
      fc.record({ kind: fc.constant("replace" as const), a: line, b: line }),
    );
    await fc.assert(
      fc.asyncProperty(edit, async ({ kind, a, b }) => {
        fc.pre(kind === "remove" || kind === "repeat" || a !== b);
        const copy = await copyOf(folder);
        const segments = await Promise.all(
          files.map(async (file) => (await readFile(join(copy, file), "utf8")).split(/(?<=\n)/)),
        );
        const at = (n: number): [string[], number] => [segments[Math.floor(n / 2)] ?? [], n % 2];
        const [inA, i] = at(a);
        const [inB, j] = at(b);
        const [lineA = "", lineB = ""] = [inA[i], inB[j]];
        if (kind === "exchange") [inA[i], inB[j]] = [lineB, lineA];
        if (kind === "remove") inA.splice(i, 1);
        if (kind === "repeat") inB.splice(j, 0, lineA);
        if (kind === "replace") inA[i] = lineB;
        for (const [n, file] of files.entries()) await writeFile(join(copy, file), (segments[n] ?? []).join(""));
        const { 6: expectHead } = heads as [...LedgerPosition[]];
        const verdict = await verifyLedger(copy, expectHead === undefined ? {} : { expectHead });
        expect(verdict.ok).toBe(false);
        await rm(copy, { recursive: true });
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 1])("notices that segment %i is gone, without any head", async (index) => {
    const { folder, files } = await smallLedger();
    await rm(join(folder, files[index] ?? ""));
    expect(await verifyLedger(folder)).toMatchObject({
      ok: false,
      because: "the segment does not begin where the entries before it end",
    });
  });

  it("notices entries cut off at the end only against a head kept elsewhere", async () => {
    const { folder, files, heads } = await smallLedger();
    const last = join(folder, files[2] ?? "");
    const lines = (await readFile(last, "utf8")).split(/(?<=\n)/);
    await writeFile(last, lines[0] ?? "");
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 5, head: heads[5] });
    const [, , , , , , head = { entries: 0, hash: "" }] = heads;
    expect(await verifyLedger(folder, { expectHead: head })).toMatchObject({
      ok: false,
      because: "the ledger ends before the expected head",
      verified: heads[5],
    });
    await rm(last);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 4 });
    expect(await verifyLedger(folder, { expectHead: head })).toMatchObject({ ok: false });
  });

  it("accepts every head the ledger ever had, and no other", async () => {
    const { folder, heads } = await smallLedger();
    for (const expectHead of heads) expect(await verifyLedger(folder, { expectHead })).toMatchObject({ ok: true });
    for (const { entries, hash } of heads) {
      const other = hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
      expect(await verifyLedger(folder, { expectHead: { entries, hash: other } })).toMatchObject({ ok: false });
    }
  });

  it("notices a ledger written anew by its own rules only against a head kept elsewhere", async () => {
    const { heads } = await smallLedger();
    const forged = await emptyFolder();
    const ledger = await openLedger({ folder: forged, now: () => 0 });
    await ledger.append(Array.from({ length: 6 }, (_, n) => ({ n: n + 1 })));
    await ledger.close();
    expect(await verifyLedger(forged)).toMatchObject({ ok: true, entries: 6 });
    const [, , , , , , expectHead = { entries: 0, hash: "" }] = heads;
    expect(await verifyLedger(forged, { expectHead })).toMatchObject({ ok: false, at: { seq: 5 } });
  });

  it("does not call an empty folder a ledger", async () => {
    expect(await verifyLedger(await emptyFolder())).toMatchObject({ ok: false, verified: { entries: 0 } });
    await expect(verifyLedger(join(await emptyFolder(), "missing"))).rejects.toThrow("ENOENT");
  });

  it("notices a segment of another ledger in the folder", async () => {
    const { folder, files } = await smallLedger();
    await rename(join(folder, files[1] ?? ""), join(folder, `zz.${files[1]?.slice("edge.".length)}`));
    expect(await verifyLedger(folder)).toMatchObject({ ok: false, because: "the segment belongs to another ledger" });
  });

  it("gives a reader nothing past the first fault", async () => {
    const { folder, files } = await smallLedger();
    const path = join(folder, files[1] ?? "");
    await writeFile(path, (await readFile(path, "utf8")).replace('"n":3', '"n":4'));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { seq } of readLedger(folder)) seen.push(seq);
    })();
    await expect(reading).rejects.toMatchObject({ code: "audit-event/ledger-broken" });
    expect(seen).toEqual([0, 1, 2]);
  });
});
