import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LedgerProgress, openLedger, verifyLedger } from "../src/index.ts";
import { emptyFolder, segmentFiles } from "./support/folders.ts";

async function ledgerOf(events: number, segmentBytes: number): Promise<string> {
  const folder = await emptyFolder();
  const ledger = await openLedger({ folder, segmentBytes });
  const filler = "x".repeat(60_000);
  for (let n = 0; n < events; n++) await ledger.append([{ n, filler }]);
  await ledger.close();
  return folder;
}

async function bytesOf(folder: string): Promise<number> {
  const sizes = (await segmentFiles(folder)).map(async (file) => (await stat(join(folder, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe("verifyLedger tells how far it has come", () => {
  it.each([
    ["one segment", 64 * 1024 * 1024],
    ["many segments", 700_000],
  ])("in bytes, from nothing to all: %s", async (_name, segmentBytes) => {
    const folder = await ledgerOf(60, segmentBytes);
    const told: LedgerProgress[] = [];
    expect(await verifyLedger(folder, { onProgress: (progress) => told.push(progress) })).toMatchObject({ ok: true });
    const totalBytes = await bytesOf(folder);
    expect(told.length).toBeGreaterThan(3);
    expect(told.every((progress) => progress.totalBytes === totalBytes)).toBe(true);
    const bytes = told.map((progress) => progress.bytes);
    expect(bytes).toEqual([...new Set(bytes)].sort((a, b) => a - b));
    expect(bytes[0]).toBe(0);
    expect(bytes.at(-1)).toBe(totalBytes);
  });

  it("of an empty ledger too, and nothing of what it has not read", async () => {
    const folder = await ledgerOf(0, 1024);
    const told: LedgerProgress[] = [];
    await verifyLedger(folder, { onProgress: (progress) => told.push(progress) });
    expect(told).toEqual([{ bytes: 0, totalBytes: 0 }]);
  });

  it("refuses what is not a function", async () => {
    const options = { onProgress: "loud" as unknown as () => void };
    await expect(verifyLedger("nowhere", options)).rejects.toMatchObject({ issues: [{ path: "onProgress" }] });
  });
});
