import { readdir } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type ConsistencyProof,
  type LedgerProof,
  openLedger,
  prove,
  proveConsistency,
  proveSubtree,
  readLedger,
  type SubtreeProof,
  verifyConsistencyProof,
  verifyLedger,
  verifyProof,
  verifySubtreeProof,
} from "../src/index.ts";
import { emptyFolder, segmentFiles } from "./support/folders.ts";
import { newSigner, notesIn, sizeOf } from "./support/signed.ts";

const signer = newSigner();
const key = signer.verifierKey;
let folder = "";
let notes: string[] = [];
beforeAll(async () => {
  folder = await emptyFolder();
  const ledger = await openLedger({ folder, signer, segmentBytes: 1024, checkpointEveryEntries: 3 });
  for (let n = 0; n < 23; n++) await ledger.append([{ n, patient: "Patient/p1" }]);
  await ledger.close();
  notes = await notesIn(folder);
});

const last = (): string => notes.at(-1) ?? "";

describe("a proof of one event", () => {
  it("convinces an auditor who holds a checkpoint and the file, for every event", async () => {
    for (let seq = 0; seq < 23; seq++) {
      const proof = JSON.parse(JSON.stringify(await prove(folder, seq))) as LedgerProof;
      expect(JSON.stringify(proof)).not.toContain("Patient");
      expect(JSON.stringify(proof).length).toBeLessThan(1200);
      expect(verifyProof(proof, last(), key)).toMatchObject({ ok: true, id: `edge/${seq}` });
    }
  });

  it("is made for the checkpoint the auditor has", async () => {
    const older = notes.find((note) => sizeOf(note) >= 3 && sizeOf(note) < 20) ?? "";
    const proof = await prove(folder, 2, { checkpoint: older });
    expect(verifyProof(proof, older, key)).toMatchObject({ ok: true });
    expect(verifyProof(proof, last(), key)).toEqual({ ok: false, because: "the proof is for another checkpoint" });
    await expect(prove(folder, 22, { checkpoint: older })).rejects.toMatchObject({ code: "audit-event/not-provable" });
    await expect(prove(await emptyFolder(), 0)).rejects.toMatchObject({ code: "audit-event/not-provable" });
  });

  it("carries the stored bytes when it is asked to, and they are the leaf's", async () => {
    const proof = await prove(folder, 7, { withEntry: true });
    const verdict = verifyProof(proof, last(), key);
    expect(verdict.ok ? verdict.entry : "").toContain('"event":{"n":7,"patient":"Patient/p1"}');
    expect(verifyProof({ ...proof, entry: proof.entry?.replace("p1", "p2") ?? "" }, last(), key)).toEqual({
      ok: false,
      because: "the entry is not the one the leaf stands for",
    });
  });

  it("does not stand any change, nor another's key or checkpoint, and never throws", async () => {
    const proof = await prove(folder, 7);
    const refused = (spoilt: unknown, note = last(), by = key): void => {
      expect(verifyProof(spoilt as LedgerProof, note, by)).toMatchObject({ ok: false });
    };
    refused({ ...proof, index: 8 });
    refused({ ...proof, size: 22 });
    refused({ ...proof, v: 2 });
    refused({ ...proof, leaf: proof.leaf.replace("edge/7", "edge/8") });
    refused({ ...proof, leaf: proof.leaf.replace(/"at":"2/, '"at":"3') });
    refused({ ...proof, path: proof.path.slice(1) });
    refused({ ...proof, path: proof.path.with(1, proof.path[0] ?? "") });
    const noText = { toString: 1 };
    for (const spoilt of [null, 7, { ...proof, leaf: noText }, { ...proof, path: [noText] }]) refused(spoilt);
    for (const spoilt of [{}, { ...proof, path: "x" }, { ...proof, path: [5, null] }, { ...proof, index: "7" }]) {
      refused(spoilt);
    }
    refused(proof, last(), newSigner().verifierKey);
    refused(proof, last(), "nonsense");
    refused(proof, last().replace("\n23\n", "\n24\n"));
    refused(proof, await newSigner().sign(last().slice(0, last().lastIndexOf("\n\n") + 1)));
  });
});

describe("a proof that the ledger only grew", () => {
  it("holds between every two of its checkpoints, and for no others", async () => {
    const signed = notes.filter((note) => sizeOf(note) > 0);
    expect(signed.length).toBeGreaterThan(5);
    for (const [index, older] of signed.entries()) {
      const newer = signed[Math.min(index + 2, signed.length - 1)] ?? "";
      const proof = await proveConsistency(folder, older, newer);
      expect(verifyConsistencyProof(proof, older, newer, key)).toEqual({ ok: true });
      if (sizeOf(older) !== sizeOf(newer)) {
        expect(verifyConsistencyProof(proof, newer, older, key)).toMatchObject({ ok: false });
      }
    }
    await expect(proveConsistency(folder, last(), signed[0] ?? "")).rejects.toMatchObject({
      code: "audit-event/not-provable",
    });
  });

  it("is not to be had for a history that was written anew", async () => {
    const other = await emptyFolder();
    const ledger = await openLedger({ folder: other, signer });
    for (let n = 0; n < 30; n++) await ledger.append([{ n, patient: "Patient/p9" }]);
    await ledger.close();
    const [newer = ""] = (await notesIn(other)).slice(-1);
    const proof = await proveConsistency(other, last(), newer);
    expect(verifyConsistencyProof(proof, last(), newer, key)).toMatchObject({ ok: false });
    expect(await verifyLedger(other, { keys: [key], expectCheckpoint: last() })).toMatchObject({
      ok: false,
      change: "edit",
    });
  });
});

describe("a proof that a run of entries is in the ledger", () => {
  it("holds for every subtree, and for no other root, run, key or checkpoint", async () => {
    for (const [start, end] of [
      [0, 1],
      [4, 7],
      [8, 16],
      [16, 23],
      [0, 23],
    ] as const) {
      const proof = await proveSubtree(folder, { start, end }, last());
      expect(verifySubtreeProof(proof, last(), key)).toEqual({ ok: true });
      const root = Buffer.alloc(32, 7).toString("base64");
      expect(verifySubtreeProof({ ...proof, root }, last(), key)).toMatchObject({ ok: false });
      expect(verifySubtreeProof({ ...proof, path: [...proof.path, root] }, last(), key)).toMatchObject({ ok: false });
      expect(verifySubtreeProof({ ...proof, end: end + 1 }, last(), key)).toMatchObject({ ok: false });
      expect(verifySubtreeProof(proof, notes[1] ?? "", key)).toMatchObject({ ok: false });
      expect(verifySubtreeProof(proof, last(), newSigner().verifierKey)).toMatchObject({ ok: false });
    }
    for (const [start, end] of [
      [2, 6],
      [5, 5],
      [16, 24],
    ] as const) {
      await expect(proveSubtree(folder, { start, end }, last())).rejects.toMatchObject({
        code: "audit-event/not-provable",
      });
    }
    const malformed = { ok: false, because: "the proof is malformed" };
    expect(verifyConsistencyProof(null as unknown as ConsistencyProof, last(), last(), key)).toEqual(malformed);
    for (const spoilt of [{}, null, { v: 1, root: { toString: 1 }, path: [] }]) {
      expect(verifySubtreeProof(spoilt as unknown as SubtreeProof, last(), key)).toEqual(malformed);
    }
  });
});

describe("retention", () => {
  const DAY = 86_400_000;

  async function aged(): Promise<{ folder: string; open: (now: number) => Promise<void> }> {
    const target = await emptyFolder();
    const open = async (now: number, count = 1): Promise<void> => {
      const ledger = await openLedger({
        folder: target,
        signer,
        segmentBytes: 1024,
        retention: { days: 30 },
        now: () => now,
      });
      for (let n = 0; n < count; n++) await ledger.append([{ now, n }]);
      await ledger.close();
    };
    for (const day of [0, 10, 20, 45]) await open(day * DAY, 6);
    return { folder: target, open };
  }

  it("removes whole files past their time, keeps their checkpoint, and what remains verifies and proves", async () => {
    const { folder: target, open } = await aged();
    await open(45 * DAY);
    const verdict = await verifyLedger(target, { keys: [key] });
    if (!verdict.ok) expect.fail(verdict.because);
    expect(verdict.from).toBeGreaterThan(6);
    expect(verdict.from).toBeLessThan(13);
    expect((await segmentFiles(target))[0]).toBe(`edge.${String(verdict.from).padStart(16, "0")}.jsonl`);
    expect(await readdir(target)).toContain("edge.base");
    const kept: { now?: number }[] = [];
    for await (const { event } of readLedger(target)) kept.push(event as { now?: number });
    for (const day of [20, 45]) expect(kept.filter(({ now }) => now === day * DAY).length).toBeGreaterThan(5);
    expect(JSON.stringify(kept)).toContain('"name":"expired"');

    const [note = ""] = (await notesIn(target)).slice(-1);
    for (let seq = verdict.from; seq < sizeOf(note); seq++) {
      expect(verifyProof(await prove(target, seq), note, key)).toMatchObject({ ok: true });
    }
    await expect(prove(target, 0)).rejects.toMatchObject({ code: "audit-event/not-provable" });
    await open(46 * DAY);
    expect(await verifyLedger(target, { keys: [key] })).toMatchObject({ ok: true });
  });

  it("does not believe a clock that leapt: entries recorded before say what time it is", async () => {
    const { folder: target, open } = await aged();
    const before = await segmentFiles(target);
    await open(5000 * DAY);
    expect((await segmentFiles(target)).filter((file) => before.includes(file)).length).toBeGreaterThan(2);
    const events: object[] = [];
    for await (const { event } of readLedger(target)) events.push(event as object);
    for (const day of [20, 45])
      expect(events.filter((event) => (event as { now?: number }).now === day * DAY).length).toBe(6);
  });

  it("a base that was changed does not pass", async () => {
    const { folder: target, open } = await aged();
    await open(45 * DAY);
    const { readFile, writeFile } = await import("node:fs/promises");
    const path = `${target}/edge.base`;
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 3) {
      const spoilt = Buffer.from(whole);
      spoilt[at] = (whole[at] ?? 0) ^ (1 << (at % 7));
      await writeFile(path, spoilt);
      expect(await verifyLedger(target, { keys: [key] })).toMatchObject({ ok: false });
    }
  });

  it("removes nothing without a signer", async () => {
    const target = await emptyFolder();
    for (const day of [0, 100, 200]) {
      const ledger = await openLedger({
        folder: target,
        segmentBytes: 1024,
        retention: { days: 1 },
        now: () => day * DAY,
      });
      for (let n = 0; n < 6; n++) await ledger.append([{ n }]);
      await ledger.close();
    }
    expect(await verifyLedger(target)).toMatchObject({ ok: true, from: 0, entries: 18 });
  });
});
