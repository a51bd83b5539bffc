import { createHash } from "node:crypto";
import { appendFile, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ConfigurationError, DependencyError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type Ledger, openLedger, prove, readLedger, verifyLedger, verifyProof } from "../src/index.ts";
import { copyOf, emptyFolder, segmentFiles, tornFiles } from "./support/folders.ts";
import { ledgerContract } from "./support/ledger-contract.ts";
import { newSigner, notesIn } from "./support/signed.ts";

ledgerContract("a folder of segment files", async () => openLedger({ folder: await emptyFolder() }));

const NOW = (): number => Date.UTC(2026, 0, 31, 12);

async function write(folder: string, from: number, to: number, segmentBytes = 1024): Promise<Ledger> {
  const ledger = await openLedger({ folder, segmentBytes, now: NOW });
  for (let n = from; n < to; n++) await ledger.append([{ n, text: "ä\n\u2028 2.00" }]);
  return ledger;
}

async function numbers(folder: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  let next = 0;
  for await (const { seq, event } of readLedger(folder)) {
    expect(seq).toBe(next++);
    // What the ledger says about itself has no number.
    const { n } = event as { n?: unknown };
    if (n !== undefined) seen.push(n);
  }
  return seen;
}

/** The lines of a file, linked to another entry before them. */
function reChained(text: string, prev: string): string {
  let link = prev;
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const body = line.slice(0, -',"hash":""}'.length - 64).replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${link}"`);
      link = createHash("sha256").update(body).digest("hex");
      return `${body},"hash":"${link}"}\n`;
    })
    .join("");
}

const containing = (text: string): unknown => expect.stringContaining(text);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe("the ledger on disk", () => {
  it("is lines of JSON, each linked to the one before, across segments and openings", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 10)).close();
    await (await write(folder, 10, 20)).close();
    const files = await segmentFiles(folder);
    expect(files.length).toBeGreaterThan(3);
    expect(files[0]).toBe("edge.0000000000000000.jsonl");
    const text = (await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))).join("");
    const lines = text.trimEnd().split("\n");
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(Object.keys(parsed[0] ?? {})).toEqual(["v", "seq", "prev", "at", "event", "hash"]);
    expect(parsed[0]).toMatchObject({ v: 1, seq: 0, at: "2026-01-31T12:00:00.000Z" });
    parsed.forEach((entry, index) => {
      expect(entry["seq"]).toBe(index);
      if (index > 0) expect(entry["prev"]).toBe(parsed[index - 1]?.["hash"]);
    });
    expect(await numbers(folder)).toEqual(upTo(20));
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 20, segments: files.length });
  });

  it("shares one write among everything that arrives meanwhile", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    const positions = await Promise.all(upTo(500).map((n) => ledger.append([{ n }])));
    expect(positions.map((position) => position.entries)).toEqual(upTo(500).map((n) => n + 1));
    await ledger.close();
    expect(await numbers(folder)).toEqual(upTo(500));
  });

  it("F9: refuses, retryably and before anything is written, when the queue is full", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, queueBytes: 2048 });
    const outcomes = await Promise.allSettled(upTo(20).map((n) => ledger.append([{ n, text: "x".repeat(200) }])));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused.length).toBeGreaterThan(10);
    for (const { reason } of refused) {
      expect(reason).toBeInstanceOf(DependencyError);
      expect(reason).toMatchObject({ code: "audit-event/ledger-full", retryable: true });
    }
    expect((await ledger.append([{ n: 99 }])).entries).toBe(outcomes.length - refused.length + 1);
    await ledger.close();
    expect(await verifyLedger(folder)).toMatchObject({ ok: true });
  });

  it("tells every mistake in its options at once", async () => {
    const wrong = { folder: "", instance: "Edge/1", segmentByte: 5, queueBytes: 1, now: 5 } as never;
    const error = await openLedger(wrong).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).issues.map((issue) => issue.path)).toEqual([
      "segmentByte",
      "folder",
      "instance",
      "now",
      "queueBytes",
    ]);
    expect((error as Error).message).toContain("did you mean `segmentBytes`?");
  });

  it("keeps the records of one instance from passing for another's", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 2)).close();
    await expect(openLedger({ folder, instance: "other" })).rejects.toMatchObject({
      code: "audit-event/ledger-foreign",
    });
    for (const file of await segmentFiles(folder)) {
      await rename(join(folder, file), join(folder, file.replace("edge", "other")));
    }
    expect(await verifyLedger(folder)).toMatchObject({ ok: false, because: containing("follow") });
  });
});

describe("opening after a crash", () => {
  it("F15: cuts a torn last line at every byte, puts it aside, and goes on", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 3, 1 << 20)).close();
    const file = (await segmentFiles(folder))[0] ?? "";
    const whole = await readFile(join(folder, file));
    const ends = [0, ...[...whole.keys()].filter((at) => whole[at] === 0x0a).map((at) => at + 1)];
    const lastBut1 = ends.at(-3) ?? 0;

    for (let size = lastBut1; size <= whole.length; size++) {
      await writeFile(join(folder, file), whole.subarray(0, size));
      const kept = ends.filter((end) => end <= size).length - 1;
      const ledger = await openLedger({ folder, now: NOW });
      const torn = whole.subarray(ends[kept] ?? 0, size);
      expect(ledger.state().durable.entries).toBe(torn.length === 0 ? kept : kept + 1);
      expect(ledger.state().recovered?.bytes).toBe(torn.length === 0 ? undefined : torn.length);
      expect((await tornFiles(folder)).map(String)).toEqual(torn.length === 0 ? [] : [torn.toString()]);
      await ledger.append([{ n: kept }]);
      await ledger.close();
      expect(await numbers(folder)).toEqual(upTo(kept + 1));
      for (const name of await readdir(folder)) if (name.endsWith(".torn")) await rm(join(folder, name));
    }
  }, 120_000);

  it("goes on with a segment that was begun and has no line yet, or only a torn one", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 10)).close();
    for (const rest of ["", '{"v":1,"seq":10']) {
      const copy = await copyOf(folder);
      await writeFile(join(copy, "edge.0000000000000010.jsonl"), rest);
      await (await write(copy, 10, 12)).close();
      expect(await numbers(copy)).toEqual(upTo(12));
      expect((await tornFiles(copy)).map(String)).toEqual(rest === "" ? [] : [rest]);
    }
  });

  it("records in the ledger that a torn line was put aside, with its size and nothing of it", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 1)).close();
    await appendFile(join(folder, (await segmentFiles(folder))[0] ?? ""), "torn secret");
    await (await write(folder, 1, 2)).close();
    const events: unknown[] = [];
    for await (const { event } of readLedger(folder)) events.push(event);
    expect(events[1]).toMatchObject({
      resourceType: "AuditEvent",
      subtype: [{ code: "110134" }],
      outcome: "4",
      entity: [{ name: "recovered", detail: [{ type: "bytes", valueString: "11" }] }],
    });
    expect(JSON.stringify(events)).not.toContain("torn secret");
  });

  it("takes a tail of zeros, which a file system may leave after a power cut, for a torn line", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 2)).close();
    await appendFile(join(folder, (await segmentFiles(folder))[0] ?? ""), Buffer.alloc(4096));
    const ledger = await write(folder, 2, 3);
    expect(ledger.state().recovered?.bytes).toBe(4096);
    await ledger.close();
    expect(await numbers(folder)).toEqual(upTo(3));
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 4 });
  });

  it("never writes over an earlier torn line", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 1)).close();
    const file = join(folder, (await segmentFiles(folder))[0] ?? "");
    for (const torn of ["first", "second"]) {
      await appendFile(file, torn);
      await (await openLedger({ folder })).close();
    }
    expect((await tornFiles(folder)).map(String).sort()).toEqual(["first", "second"]);
  });

  it.each([
    ["a changed entry", (bytes: Buffer) => Buffer.from(bytes.toString().replace('"n":1', '"n":7'))],
    ["a removed entry", (bytes: Buffer) => bytes.subarray(bytes.indexOf("\n") + 1)],
    ["bytes that are no entry, ended", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("{}\n")])],
    ["a blank line", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("\n")])],
  ])("does not start on %s, and says where", async (_what, spoil) => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 3, 1 << 20)).close();
    const file = join(folder, (await segmentFiles(folder))[0] ?? "");
    const spoilt = spoil(await readFile(file));
    await writeFile(file, spoilt);
    await expect(openLedger({ folder })).rejects.toMatchObject({
      code: "audit-event/ledger-broken",
      message: containing("edge.0000000000000000.jsonl line "),
    });
    expect(await readFile(file)).toEqual(spoilt);
    expect(await readdir(folder)).not.toContain("ledger.lock");
  });

  it("does not start when a segment that others follow is torn", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 10)).close();
    const [file = ""] = await segmentFiles(folder);
    const bytes = await readFile(join(folder, file));
    await truncate(join(folder, file), bytes.length - 1);
    await expect(openLedger({ folder, verifyAtStart: "everything" })).rejects.toMatchObject({
      code: "audit-event/ledger-broken",
    });
    expect(await verifyLedger(folder)).toMatchObject({ ok: false, at: { file } });
  });

  it.each(["signed", "unsigned"])(
    "reads its last file and no other, so that a start does not take longer (%s)",
    async (how) => {
      const folder = await emptyFolder();
      const signer = how === "signed" ? { signer: newSigner() } : {};
      const ledger = await openLedger({ folder, segmentBytes: 1024, now: NOW, ...signer });
      for (const n of upTo(20)) await ledger.append([{ n, text: "x".repeat(100) }]);
      await ledger.close();
      const files = await segmentFiles(folder);
      expect(files.length).toBeGreaterThan(4);
      // Nobody can read them, and nobody has to.
      for (const file of files.slice(0, -1)) await writeFile(join(folder, file), "");
      const again = await openLedger({ folder, ...signer });
      expect((await again.append([{ n: 20 }])).entries).toBe(21);
      await again.close();
      await expect(openLedger({ folder, ...signer, verifyAtStart: "everything" })).rejects.toMatchObject({
        code: "audit-event/ledger-broken",
      });
    },
  );

  it("goes on from a signed beginning with the very tree that was signed before", async () => {
    const folder = await emptyFolder();
    const signer = newSigner();
    for (const round of upTo(4)) {
      const ledger = await openLedger({ folder, segmentBytes: 1024, signer });
      for (const n of upTo(7)) await ledger.append([{ round, n }]);
      await ledger.close();
    }
    expect(await verifyLedger(folder, { keys: [signer.verifierKey] })).toMatchObject({ ok: true, entries: 28 });
    expect(await numbers(folder)).toHaveLength(28);
  });

  it("reads everything when another key has signed, and does not start on a beginning that was not signed", async () => {
    const folder = await emptyFolder();
    const signer = newSigner();
    const ledger = await openLedger({ folder, segmentBytes: 1024, signer });
    for (const n of upTo(20)) await ledger.append([{ n, text: "x".repeat(100) }]);
    await ledger.close();
    const other = await copyOf(folder);
    await (await openLedger({ folder: other, signer: newSigner() })).close();
    const [file = ""] = (await segmentFiles(folder)).slice(-1);
    const bytes = await readFile(join(folder, file));
    const [, prev = ""] = /"prev":"([0-9a-f]{64})"/.exec(bytes.toString()) ?? [];
    // Written anew from the file's first entry, hashes and all.
    const forged = reChained(
      bytes.toString(),
      prev.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
    );
    await writeFile(join(folder, file), forged);
    await expect(openLedger({ folder, signer })).rejects.toMatchObject({ code: "audit-event/ledger-broken" });
  });

  it("refuses a hole in its last file under a code of its own, and goes on before it when people say so", async () => {
    const folder = await emptyFolder();
    await (await write(folder, 0, 6, 1 << 20)).close();
    const file = (await segmentFiles(folder))[0] ?? "";
    const whole = await readFile(join(folder, file));
    const third =
      whole
        .toString()
        .split(/(?<=\n)/)
        .slice(0, 3)
        .join("").length + 2;
    const holed = Buffer.from(whole);
    holed.fill(0, third + 40, third + 300);
    await writeFile(join(folder, file), holed);
    const place = `${file}:4`;
    await expect(openLedger({ folder })).rejects.toMatchObject({
      code: "audit-event/ledger-hole",
      message: containing(place),
      retryable: false,
    });
    await expect(openLedger({ folder, putAside: `${file}:3` })).rejects.toMatchObject({
      code: "audit-event/ledger-hole",
    });
    expect(await readFile(join(folder, file))).toEqual(holed);

    const ledger = await openLedger({ folder, putAside: place });
    expect(ledger.state().recovered).toMatchObject({ hole: true });
    await ledger.append([{ n: 3 }]);
    await ledger.close();
    expect(await numbers(folder)).toEqual(upTo(4));
    const [aside] = await tornFiles(folder);
    expect(holed.subarray(holed.length - (aside?.length ?? 0))).toEqual(aside);
    const events: unknown[] = [];
    for await (const { event } of readLedger(folder)) events.push(event);
    expect(events[3]).toMatchObject({ outcome: "8", entity: [{ name: "hole-put-aside" }] });
    // The order holds for that place and that once.
    await (await openLedger({ folder, putAside: place })).close();
    expect(await numbers(folder)).toEqual(upTo(4));
  });

  it("keeps what was signed from being put aside", async () => {
    const folder = await emptyFolder();
    const signer = newSigner();
    const ledger = await openLedger({ folder, signer });
    for (const n of upTo(6)) await ledger.append([{ n, text: "x".repeat(100) }]);
    await ledger.close();
    const file = (await segmentFiles(folder))[0] ?? "";
    const holed = await readFile(join(folder, file));
    holed.fill(0, 400, 450);
    await writeFile(join(folder, file), holed);
    await expect(openLedger({ folder, signer, putAside: `${file}:2` })).rejects.toMatchObject({
      code: "audit-event/ledger-broken",
      message: containing("before the checkpoint"),
    });
    expect(await readFile(join(folder, file))).toEqual(holed);
  });
});

describe("a clock that shows no time", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e15])("rejects the append and spoils nothing (%d)", async (time) => {
    const folder = await emptyFolder();
    let now = time;
    const ledger = await openLedger({ folder, now: () => now });
    await expect(ledger.append([{ n: 0 }])).rejects.toBeInstanceOf(RangeError);
    expect(ledger.state()).toMatchObject({ status: "open", queuedBytes: 0 });
    now = 0;
    await ledger.append([{ n: 0 }]);
    await ledger.close();
    expect(await numbers(folder)).toEqual([0]);
  });
});

describe("a ledger of the first version", () => {
  it("stays readable and verifiable, and is gone on with, signed", async () => {
    const folder = await emptyFolder();
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    let prev = sha256("wardline ledger 1\nedge\n");
    let text = "";
    for (let seq = 0; seq < 3; seq++) {
      const body = `{"v":1,"seq":${seq},"prev":"${prev}","at":"2026-01-31T12:00:00.000Z","event":{"n":${seq},"price":2.00}`;
      prev = sha256(body);
      text += `${body},"hash":"${prev}"}\n`;
    }
    await writeFile(join(folder, "edge.0000000000000000.jsonl"), text);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 3, head: { entries: 3, hash: prev } });
    const signer = newSigner();
    const ledger = await openLedger({ folder, signer });
    await ledger.append([{ n: 3 }]);
    await ledger.close();
    expect(await numbers(folder)).toEqual(upTo(4));
    const verdict = await verifyLedger(folder, { keys: [signer.verifierKey] });
    expect(verdict).toMatchObject({ ok: true, entries: 4, checkpoints: { agreed: 2, entries: 4 } });
    const note = (await notesIn(folder))[0] ?? "";
    const proof = await prove(folder, 1, { checkpoint: note, withEntry: true });
    expect(verifyProof(proof, note, signer.verifierKey)).toMatchObject({ ok: true, entry: containing('"price":2.00') });
  });
});

describe("several workers", () => {
  it("have a folder and a name each, so that no stream passes for another's", async () => {
    const home = await emptyFolder();
    const signer = newSigner();
    const workers = await Promise.all(
      upTo(3).map((n) => openLedger({ folder: join(home, `worker-${n}`), instance: `worker-${n}`, signer })),
    );
    await Promise.all(workers.map((ledger, n) => ledger.append([{ n }])));
    await Promise.all(workers.map((ledger) => ledger.close()));
    const keys = [signer.verifierKey];
    for (const n of upTo(3)) {
      expect(await verifyLedger(join(home, `worker-${n}`), { keys })).toMatchObject({ ok: true, entries: 1 });
    }
    const [first, second] = [join(home, "worker-0"), join(home, "worker-1")];
    const [note = ""] = (await notesIn(first)).slice(-1);
    expect(await verifyLedger(second, { keys, expectCheckpoint: note })).toMatchObject({ ok: false });
    expect(verifyProof(await prove(second, 0), note, signer.verifierKey)).toMatchObject({ ok: false });
  });

  it("may be verified while they write", async () => {
    const folder = await emptyFolder();
    const signer = newSigner();
    const ledger = await openLedger({ folder, signer, segmentBytes: 2048, checkpointEveryEntries: 5 });
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) await ledger.append([{ n }]);
    })();
    for (const _ of upTo(15)) {
      const verdict = await verifyLedger(folder, { keys: [signer.verifierKey] });
      if (!verdict.ok) expect(verdict.change).toBe("torn");
    }
    writing = false;
    await writer;
    await ledger.close();
    expect(await verifyLedger(folder, { keys: [signer.verifierKey] })).toMatchObject({ ok: true });
  });
});

describe("the lock", () => {
  it("refuses a second opening while the first is open", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    await expect(openLedger({ folder })).rejects.toMatchObject({
      code: "audit-event/ledger-locked",
      message: containing(`process ${process.pid}`),
    });
    await ledger.append([{ n: 0 }]);
    await ledger.close();
    await (await openLedger({ folder })).close();
    expect(await readdir(folder)).toEqual(["edge.0000000000000000.jsonl"]);
  });

  const NONCE = "00000000-0000-4000-8000-000000000001";
  const lockOf = (holder: object): string => JSON.stringify({ host: hostname(), nonce: NONCE, ...holder });

  it.each([
    ["a dead process", lockOf({ pid: 2 ** 22 + 1 })],
    ["an earlier process with our pid", lockOf({ pid: process.pid, started: "another-boot/1" })],
  ])("is taken over from %s", async (_who, lock) => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "ledger.lock"), lock);
    await (await openLedger({ folder })).close();
    expect(await readdir(folder)).toEqual(["edge.0000000000000000.jsonl"]);
  });

  it.each([
    ["a process of another host", lockOf({ pid: 2 ** 22 + 1, host: "elsewhere" })],
    ["a process that cannot be told", lockOf({ pid: process.pid })],
    ["whoever wrote something else into it", "nonsense"],
    ["a holder whose name is a path", lockOf({ pid: 2 ** 22 + 1, nonce: "../../x" })],
  ])("is not taken from %s", async (_who, lock) => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "ledger.lock"), lock);
    await expect(openLedger({ folder })).rejects.toMatchObject({ code: "audit-event/ledger-locked" });
    expect(await readdir(folder)).toEqual(["ledger.lock"]);
  });

  it("is taken over by one of many that find it stale at once", async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "ledger.lock"), lockOf({ pid: 2 ** 22 + 1 }));
    const outcomes = await Promise.allSettled(upTo(20).map(() => openLedger({ folder })));
    const opened = outcomes.filter((outcome) => outcome.status === "fulfilled");
    expect(opened.length).toBe(1);
    for (const { value } of opened) await value.close();
    expect(await readdir(folder)).toEqual(["edge.0000000000000000.jsonl"]);
  });

  it("is taken over from an heir that died while it took over", async () => {
    const folder = await emptyFolder();
    const heir = "00000000-0000-4000-8000-000000000002";
    await writeFile(join(folder, "ledger.lock"), lockOf({ pid: 2 ** 22 + 1 }));
    await writeFile(join(folder, `ledger.lock.${NONCE}.next`), lockOf({ pid: 2 ** 22 + 1, nonce: heir }));
    await (await openLedger({ folder })).close();
    expect(await readdir(folder)).toEqual(["edge.0000000000000000.jsonl"]);
  });

  it.each([
    ["an heir that lives", { pid: process.ppid, nonce: "00000000-0000-4000-8000-000000000002" }],
    ["an heir of itself", { pid: 2 ** 22 + 1 }],
  ])("is left to %s", async (_who, heir) => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "ledger.lock"), lockOf({ pid: 2 ** 22 + 1 }));
    await writeFile(join(folder, `ledger.lock.${NONCE}.next`), lockOf(heir));
    await expect(openLedger({ folder })).rejects.toMatchObject({ code: "audit-event/ledger-locked" });
  });
});
