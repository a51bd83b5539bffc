import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError, type KeyProvider } from "@wardline/policy-types";
import { beforeAll, describe, expect, it } from "vitest";
import { type LocalKeyRing, localKeyRing, openLedger, readLedger, verifyLedger } from "../src/index.ts";
import { renderEntry } from "../src/ledger/entry.ts";
import { openLedgerOn } from "../src/ledger/open.ts";
import { failingFiles } from "./support/failing-files.ts";
import { emptyFolder, segmentFiles } from "./support/folders.ts";

let folderOfRings = "";
let ring: LocalKeyRing;
beforeAll(async () => {
  folderOfRings = await emptyFolder();
  ring = await localKeyRing({ file: join(folderOfRings, "shared"), key: randomBytes(32), create: true });
});

const read = async (folder: string, encryption?: KeyProvider): Promise<unknown[]> => {
  const events: unknown[] = [];
  for await (const { event } of readLedger(folder, encryption === undefined ? {} : { encryption })) events.push(event);
  return events;
};

describe("a ledger encrypted at rest", () => {
  it("shows nothing of its events, verifies without keys and opens with them, across files and openings", async () => {
    const folder = await emptyFolder();
    const events: object[] = [];
    for (const round of [0, 1, 2]) {
      if (round > 0) await ring.rotate();
      const target = join(folder, "sealed");
      const ledger = await openLedger({ folder: target, segmentBytes: 2048, encryption: ring });
      for (let n = 0; n < 8; n++) {
        events.push({ round, n, secret: `Müller ${n} 2.00` });
        await ledger.append([events.at(-1) as object]);
      }
      await ledger.close();
    }
    const target = join(folder, "sealed");
    const files = await segmentFiles(target);
    expect(files.length).toBeGreaterThan(3);
    const texts = await Promise.all(files.map((file) => readFile(join(target, file), "utf8")));
    expect(texts.join("")).not.toContain("Müller");
    // A key for each file and each opening, announced in the first entry under it.
    for (const text of texts) expect(JSON.parse(text.split("\n")[0] ?? "")).toHaveProperty("key.id");
    expect(await verifyLedger(target)).toMatchObject({ ok: true, entries: 24 });
    expect(await read(target, ring)).toEqual(events);
    await expect(read(target)).rejects.toMatchObject({ code: "audit-event/ledger-keys" });
    const other = await localKeyRing({ file: join(folder, "other"), key: randomBytes(32), create: true });
    await expect(read(target, other)).rejects.toMatchObject({ code: "audit-event/key-ring-unusable" });
    const late: number[] = [];
    for await (const { seq } of readLedger(target, { encryption: ring, from: 20 })) late.push(seq);
    expect(late).toEqual([20, 21, 22, 23]);
  });

  it("opens an event in its own place only, however the chain is mended", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, encryption: ring });
    for (let n = 0; n < 3; n++) await ledger.append([{ n }]);
    await ledger.close();
    const path = join(folder, (await segmentFiles(folder))[0] ?? "");
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    const dataOf = (line = ""): Buffer => Buffer.from((JSON.parse(line) as { sealed: string }).sealed, "base64");
    const { prev, at } = JSON.parse(lines[1] ?? "") as { prev: string; at: string };
    const second = renderEntry({ entries: 1, hash: prev }, at, { kind: "sealed", data: dataOf(lines[2]) });
    const third = renderEntry(second.after, at, { kind: "sealed", data: dataOf(lines[1]) });
    await writeFile(path, `${lines[0]}\n${second.line.toString()}${third.line.toString()}`);
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 3 });
    await expect(read(folder, ring)).rejects.toMatchObject({ code: "audit-event/ledger-keys" });
  });

  it("goes on from a ledger that was not, and back", async () => {
    const folder = await emptyFolder();
    for (const encryption of [undefined, ring, undefined]) {
      const ledger = await openLedger({ folder, ...(encryption === undefined ? {} : { encryption }) });
      await ledger.append([{ n: 1 }]);
      await ledger.close();
    }
    expect(await read(folder, ring)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
  });

  it("never uses a key for an entry number twice: after a failed write there is another", async () => {
    const [folder, files] = [await emptyFolder(), failingFiles()];
    const ledger = await openLedgerOn(files, { folder, encryption: ring, healAfterMs: 10 });
    await ledger.append([{ n: 0 }]);
    files.partial = 1000;
    files.write = "EIO";
    await expect(ledger.append([{ n: "lost" }])).rejects.toMatchObject({ retryable: false });
    files.write = undefined;
    await expect.poll(() => ledger.state().status).toBe("open");
    await ledger.append([{ n: 1 }]);
    await ledger.close();
    const lines = (await readFile(join(folder, (await segmentFiles(folder))[0] ?? ""), "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => "key" in (JSON.parse(line) as object))).toEqual([true, true, false]);
    expect(await read(folder, ring)).toMatchObject([{ n: 0 }, { resourceType: "AuditEvent" }, { n: 1 }]);
  });

  it("F9: refuses, and stands, while the key service cannot answer or hangs", async () => {
    let mode: "work" | "fail" = "fail";
    const encryption: KeyProvider = {
      generateDataKey: (context) =>
        mode === "work" ? ring.generateDataKey(context) : Promise.reject(new Error("down")),
      unwrapDataKey: (wrapped, context) => ring.unwrapDataKey(wrapped, context),
    };
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, encryption });
    const refused = { code: "audit-event/ledger-keys", retryable: true };
    await expect(ledger.append([{ n: 0 }])).rejects.toMatchObject(refused);
    expect(ledger.state()).toMatchObject({ status: "open", queuedBytes: 0 });
    mode = "work";
    expect((await ledger.append([{ n: 1 }])).entries).toBe(1);
    await ledger.close();
    expect(await read(folder, ring)).toEqual([{ n: 1 }]);
  });
});

describe("a local key ring", () => {
  const context = { use: "test" };

  it("opens with its passphrase, keeps old keys after rotation, and holds none in the clear", async () => {
    const file = join(folderOfRings, "passphrase");
    const passphrase = "correct horse battery";
    const first = await localKeyRing({ file, passphrase, create: true });
    const old = await first.generateDataKey(context);
    const before = first.currentKeyId;
    expect(await first.rotate()).not.toBe(before);
    const again = await localKeyRing({ file, passphrase });
    expect(again.currentKeyId).toBe(first.currentKeyId);
    expect(Buffer.from(await again.unwrapDataKey(old, context))).toEqual(Buffer.from(old.key));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ kdf: "PBKDF2-HMAC-SHA-256", iterations: 600_000 });
    await expect(localKeyRing({ file, passphrase: "wrong horse battery" })).rejects.toMatchObject({
      code: "audit-event/key-ring-unusable",
    });
  });

  it("is not replaced by an empty one when it is missing", async () => {
    const file = join(folderOfRings, "missing");
    await expect(localKeyRing({ file, key: randomBytes(32) })).rejects.toMatchObject({
      code: "audit-event/key-ring-unusable",
      message: "the key ring's file is missing",
    });
  });

  it("does not open when any byte of its file was changed", async () => {
    const file = join(folderOfRings, "bytes");
    const key = randomBytes(32);
    await localKeyRing({ file, key, create: true });
    const whole = await readFile(file);
    for (let at = 0; at < whole.length - 1; at++) {
      const spoilt = Buffer.from(whole);
      spoilt[at] = (whole[at] ?? 0) ^ (1 << (at % 7));
      await writeFile(file, spoilt);
      await expect(localKeyRing({ file, key })).rejects.toMatchObject({ code: "audit-event/key-ring-unusable" });
    }
  });

  it("unwraps no key for another context, id or ring, nor with a short tag", async () => {
    const { keyId, key, wrapped } = await ring.generateDataKey(context);
    expect(Buffer.from(await ring.unwrapDataKey({ keyId, wrapped }, context))).toEqual(Buffer.from(key));
    const bad = [
      [{ keyId, wrapped }, { use: "other" }],
      [{ keyId: "unknown", wrapped }, context],
      [{ keyId, wrapped: wrapped.subarray(0, -12) }, context],
      [{ keyId, wrapped: new Uint8Array(3) }, context],
    ] as const;
    for (const [spoilt, where] of bad) {
      await expect(ring.unwrapDataKey(spoilt, where)).rejects.toMatchObject({ code: "audit-event/key-ring-unusable" });
    }
  });

  it.each([
    ["neither secret", {}],
    ["both secrets", { passphrase: "correct horse battery", key: randomBytes(32) }],
    ["a short passphrase", { passphrase: "short" }],
    ["a short key", { key: randomBytes(16) }],
    ["an unknown option", { key: randomBytes(32), iterations: 5 }],
  ])("is refused %s", async (_what, options) => {
    await expect(localKeyRing({ file: "ring", ...options } as never)).rejects.toBeInstanceOf(ConfigurationError);
  });
});
