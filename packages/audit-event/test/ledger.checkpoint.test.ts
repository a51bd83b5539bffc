import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { canonicalJson } from "../src/canonical.ts";
import { type CheckpointSigner, openLedger, postCheckpoint, verifyLedger } from "../src/index.ts";
import { renderLeaf } from "../src/ledger/leaf.ts";
import { openLedgerOn } from "../src/ledger/open.ts";
import { failingFiles } from "./support/failing-files.ts";
import { emptyFolder } from "./support/folders.ts";
import { newSigner, notesIn, sizeOf } from "./support/signed.ts";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe("checkpoints", () => {
  it.each(["ed25519", "p256"] as const)("are signed at the start, by size, by time and at close (%s)", async (type) => {
    const signer = newSigner(type);
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, signer, checkpointEveryEntries: 10, checkpointEveryMs: 1500 });
    expect((await notesIn(folder)).map(sizeOf)).toEqual([0]);
    for (const n of upTo(10)) await ledger.append([{ n }]);
    await vi.waitFor(() => expect(ledger.state().checkpoint).toEqual({ entries: 10 }), { timeout: 10_000 });
    await ledger.append([{ n: 10 }]);
    expect(ledger.state().checkpoint?.entries).toBe(10);
    await vi.waitFor(() => expect(ledger.state().checkpoint?.entries).toBe(11), { timeout: 10_000 });
    await ledger.append([{ n: 11 }, { n: 12 }]);
    await ledger.close();
    expect((await notesIn(folder)).map(sizeOf)).toEqual([0, 10, 11, 13]);
    expect((await notesIn(folder))[0]).toMatch(/^audit\.example\.org\/edge\n0\n47DEQpj8HBSa\+/);
    const keys = [signer.verifierKey];
    expect(await verifyLedger(folder, { keys })).toMatchObject({ ok: true, checkpoints: { agreed: 4, entries: 13 } });
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, checkpoints: "not-checked" });
    await (await openLedger({ folder, signer })).close();
    expect((await notesIn(folder)).length).toBe(4);
  });

  it("stand at the end of every segment, and go on across openings, with a log that had none before", async () => {
    const folder = await emptyFolder();
    const unsigned = await openLedger({ folder, segmentBytes: 1024 });
    for (const n of upTo(7)) await unsigned.append([{ n }]);
    await unsigned.close();
    const signer = newSigner();
    for (const round of upTo(3)) {
      const ledger = await openLedger({ folder, signer, segmentBytes: 1024 });
      for (const n of upTo(10)) await ledger.append([{ round, n }]);
      await ledger.close();
    }
    const verdict = await verifyLedger(folder, { keys: [signer.verifierKey] });
    expect(verdict).toMatchObject({ ok: true, entries: 37, checkpoints: { entries: 37 } });
    const firsts = (await readdir(folder))
      .filter((file) => file.endsWith(".jsonl"))
      .map((file) => Number(file.slice(5, 21)));
    const sizes = new Set((await notesIn(folder)).map(sizeOf));
    for (const first of firsts.filter((first) => first > 7)) expect(sizes).toContain(first);
  });

  it("are never in the way of an append: the signer and the witness may hang", async () => {
    const real = newSigner();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let slow = false;
    const signer: CheckpointSigner = {
      ...real,
      sign: async (text) => (slow ? gate : Promise.resolve()).then(() => real.sign(text)),
    };
    const shown: number[] = [];
    const onCheckpoint = async (note: string): Promise<void> => {
      shown.push(sizeOf(note));
      if (shown.length === 1) await gate;
    };
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, signer, onCheckpoint, checkpointEveryEntries: 1 });
    slow = true;
    for (const n of upTo(50)) await ledger.append([{ n }]);
    expect(ledger.state()).toMatchObject({ durable: { entries: 50 }, checkpoint: { entries: 0, witnessed: 0 } });
    release();
    await ledger.close();
    expect(shown[0]).toBe(0);
    expect(shown.at(-1)).toBe(50);
    // What waits gives way to what is newer.
    expect(shown.length).toBeLessThan(5);
    expect(ledger.state().checkpoint).toEqual({ entries: 50, witnessed: 50 });
  });

  it("F12: that cannot be signed, stored or shown are visible in the state, and are made up for", async () => {
    const real = newSigner();
    const faults = { sign: false, show: false };
    const fail = (): never => {
      throw Object.assign(new Error("no"), { code: "ESIGN" });
    };
    const signer: CheckpointSigner = { ...real, sign: async (text) => (faults.sign ? fail() : real.sign(text)) };
    const onCheckpoint = async (): Promise<void> => (faults.show ? fail() : undefined);
    const folder = await emptyFolder();
    const files = failingFiles();
    files.only = /checkpoints$/;
    const ledger = await openLedgerOn(files, {
      folder,
      signer,
      onCheckpoint,
      checkpointEveryEntries: 1,
      checkpointEveryMs: 30,
    });
    faults.sign = true;
    await ledger.append([{ n: 0 }]);
    await vi.waitFor(() => expect(ledger.state().checkpoint).toMatchObject({ entries: 0, failing: "ESIGN" }));
    faults.sign = false;
    files.partial = 20;
    files.write = "ENOSPC";
    await vi.waitFor(() => expect(ledger.state().checkpoint).toMatchObject({ entries: 0, failing: "ENOSPC" }));
    files.write = undefined;
    faults.show = true;
    await vi.waitFor(() => expect(ledger.state().checkpoint).toMatchObject({ entries: 1, witnessFailing: "ESIGN" }));
    faults.show = false;
    await ledger.append([{ n: 1 }]);
    await vi.waitFor(() => expect(ledger.state().checkpoint).toEqual({ entries: 2, witnessed: 2 }));
    await ledger.close();
    expect(await verifyLedger(folder, { keys: [real.verifierKey] })).toMatchObject({ ok: true });
  });

  it("F9: that a full disk broke off are cut off before a later file has some", async () => {
    const signer = newSigner();
    const folder = await emptyFolder();
    const files = failingFiles();
    files.only = /checkpoints$/;
    const options = { folder, signer, segmentBytes: 1024 };
    const ledger = await openLedgerOn(files, options);
    const pad = "x".repeat(300);
    files.partial = 20;
    files.write = "ENOSPC";
    for (const n of upTo(5)) await ledger.append([{ n, pad }]);
    await vi.waitFor(() => expect(ledger.state().checkpoint).toMatchObject({ failing: "ENOSPC" }));
    files.write = undefined;
    for (const n of upTo(5)) await ledger.append([{ n, pad }]);
    await ledger.close();
    expect(await verifyLedger(folder, { keys: [signer.verifierKey] })).toMatchObject({ ok: true, entries: 10 });
    await (await openLedger({ ...options, verifyAtStart: "everything" })).close();
  });

  it("that a crash kept from the witness are shown to it at the next start", async () => {
    const signer = newSigner();
    const folder = await emptyFolder();
    const first = await openLedger({ folder, signer, onCheckpoint: () => Promise.reject(new Error("down")) });
    await first.append([{ n: 0 }]);
    await first.close();
    const shown: number[] = [];
    const onCheckpoint = async (note: string): Promise<void> => void shown.push(sizeOf(note));
    const second = await openLedger({ folder, signer, onCheckpoint });
    await vi.waitFor(() => expect(second.state().checkpoint).toEqual({ entries: 1, witnessed: 1 }));
    await second.close();
    expect(shown).toEqual([1]);
  });

  it("F15: a signer that hangs does not keep the ledger from closing, nor writes afterwards", async () => {
    const real = newSigner();
    const hung: (() => void)[] = [];
    let hang = false;
    const sign = async (text: string): Promise<string> => {
      if (hang) await new Promise<void>((resolve) => hung.push(resolve));
      return real.sign(text);
    };
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, signer: { ...real, sign }, closeDeadlineMs: 50 });
    hang = true;
    await ledger.append([{ n: 0 }]);
    await ledger.close();
    for (const release of hung) release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await notesIn(folder)).map(sizeOf)).toEqual([0]);
    await (await openLedger({ folder, signer: real })).close();
    expect((await notesIn(folder)).map(sizeOf)).toEqual([0, 1]);
  });

  it("F1: a signer that hangs does not keep the ledger from opening, and is seen to fail", async () => {
    const real = newSigner();
    let hang = true;
    let asked = 0;
    const sign = (text: string): Promise<string> => {
      asked += 1;
      return hang ? new Promise(() => undefined) : real.sign(text);
    };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const folder = await emptyFolder();
      const opening = openLedger({ folder, signer: { ...real, sign }, checkpointEveryMs: 1000 });
      while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(10_000);
      const ledger = await opening;
      expect(ledger.state()).toMatchObject({ status: "open", checkpoint: { entries: 0, failing: "ETIMEDOUT" } });
      hang = false;
      await ledger.append([{ n: 0 }]);
      await vi.advanceTimersByTimeAsync(1000);
      await ledger.close();
      expect(await verifyLedger(folder, { keys: [real.verifierKey] })).toMatchObject({ ok: true, entries: 1 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("are posted to a witness, which refuses by its status", async () => {
    const bodies: string[] = [];
    const server = createServer((req, res) => {
      req.setEncoding("utf8").on("data", (text: string) => bodies.push(`${req.headers.authorization} ${text}`));
      req.on("end", () => res.writeHead(req.url === "/no" ? 403 : 204).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    await postCheckpoint(url, { headers: { Authorization: "Bearer t" } })("a note\n");
    expect(bodies).toEqual(["Bearer t a note\n"]);
    await expect(postCheckpoint(`${url}/no`)("a note\n")).rejects.toMatchObject({
      code: "audit-event/witness-refused",
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(postCheckpoint(url)("a note\n")).rejects.toThrow();
  });

  it("sign small fixed leaves in canonical JSON, which hold nothing of the event", async () => {
    const leaf = { v: 1, id: "edge/7", at: "2026-01-31T12:00:00.000Z", sha256: "0".repeat(64) };
    expect(renderLeaf("edge", { seq: 7, at: leaf.at, hash: leaf.sha256 })).toBe(canonicalJson(leaf));
  });

  it("a log does not start on a tail that contradicts what it has signed", async () => {
    const folder = await emptyFolder();
    const signer = newSigner();
    const ledger = await openLedger({ folder, signer });
    for (const n of upTo(5)) await ledger.append([{ n }]);
    await ledger.close();
    const path = join(folder, "edge.0000000000000000.jsonl");
    const lines = (await readFile(path, "utf8")).split(/(?<=\n)/);
    const { writeFile } = await import("node:fs/promises");
    await writeFile(path, lines.slice(0, 4).join(""));
    await expect(openLedger({ folder, signer })).rejects.toMatchObject({ code: "audit-event/ledger-broken" });
    await writeFile(path, lines.join(""));
    await (await openLedger({ folder, signer })).close();
  });
});
