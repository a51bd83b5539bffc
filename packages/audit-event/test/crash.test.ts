import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { checkpointSigner, type LedgerPosition, openLedger, readLedger, verifyLedger } from "../src/index.ts";
import { bundleAppender, type Child, start } from "./support/children.ts";
import { emptyFolder } from "./support/folders.ts";

/** 200 for a release. */
const ROUNDS = Number(process.env["WARDLINE_CRASH_ROUNDS"] ?? (process.env["CI"] === "true" ? 200 : 40));
const LANES = 4;

let appender = "";
beforeAll(async () => {
  appender = await bundleAppender();
});

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; waited < 10_000 && !what(); waited += 5) await setTimeout(5);
  expect(what()).toBe(true);
}

const acknowledged = ({ told }: Child): (LedgerPosition & { caller: number; n: number })[] =>
  told.filter((line) => typeof line["n"] === "number") as never;

describe("F15: a process killed while it appends", () => {
  it.each([1, 2])("loses nothing it has acknowledged, and the next one goes on (%i)", async (round) => {
    const folder = await emptyFolder();
    let expected = 0;
    for (const callers of ["1", "32"]) {
      const child = start(process.execPath, [appender, folder, callers, "100"]);
      await until(() => acknowledged(child).length > round * 40);
      child.process.kill("SIGKILL");
      expect(await child.ended).toEqual({ code: null, signal: "SIGKILL" });

      const ledger = await openLedger({ folder });
      const { entries } = ledger.state().durable;
      await ledger.append([{ after: "the crash" }]);
      await ledger.close();
      const acks = acknowledged(child);
      expect(entries).toBeGreaterThanOrEqual(expected + acks.length);
      expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: entries + 1 });

      const stored = new Map<number, { hash: string; event: unknown }>();
      for await (const entry of readLedger(folder)) stored.set(entry.seq, entry);
      for (const { entries: after, hash, caller, n } of acks) {
        expect(stored.get(after - 1)).toMatchObject({ hash, event: { caller, n } });
      }
      expected = entries + 1;
    }
  });

  it(
    `loses nothing it has acknowledged in ${ROUNDS} rounds of SIGKILL at random moments under load, signing (WARDLINE_CRASH_ROUNDS)`,
    async () => {
      const { privateKey } = generateKeyPairSync("ed25519");
      const signer = checkpointSigner({ name: "audit.example.org", privateKey });
      const pem = privateKey.export({ format: "pem", type: "pkcs8" }) as string;
      const lanes = Array.from({ length: LANES }, async () => {
        const folder = await emptyFolder();
        const acks: LedgerPosition[] = [];
        for (let round = 0; round < ROUNDS / LANES; round++) {
          const child = start(process.execPath, [appender, folder, "16", "100", pem]);
          await until(() => child.told.length > 0);
          await setTimeout(Math.random() * 60);
          child.process.kill("SIGKILL");
          expect(await child.ended).toEqual({ code: null, signal: "SIGKILL" });
          acks.push(...acknowledged(child));
        }
        await (await openLedger({ folder, signer })).close();
        expect(await verifyLedger(folder, { keys: [signer.verifierKey] })).toMatchObject({ ok: true });
        const hashes: string[] = [];
        for await (const { hash } of readLedger(folder)) hashes.push(hash);
        for (const { entries, hash } of acks) expect(hashes[entries - 1]).toBe(hash);
        return acks.length;
      });
      const acknowledgedInAll = (await Promise.all(lanes)).reduce((sum, count) => sum + count, 0);
      expect(acknowledgedInAll).toBeGreaterThan(ROUNDS);
    },
    5000 + ROUNDS * 1500,
  );

  it("leaves a lock that is refused while it lives and taken over when it is dead", async () => {
    const folder = await emptyFolder();
    const first = start(process.execPath, [appender, folder]);
    await until(() => acknowledged(first).length > 0);
    const second = start(process.execPath, [appender, folder]);
    expect(await second.ended).toEqual({ code: 3, signal: null });
    expect(second.told).toEqual([{ refused: "audit-event/ledger-locked" }]);
    first.process.kill("SIGKILL");
    await first.ended;
    expect(JSON.parse(await readFile(`${folder}/ledger.lock`, "utf8"))).toMatchObject({ pid: first.process.pid });
    await (await openLedger({ folder })).close();
    expect(await verifyLedger(folder)).toMatchObject({ ok: true });
  });
});

describe("F9: a disk that takes no more", () => {
  it("fails the ledger, says so, and keeps what was acknowledged", async () => {
    const folder = await emptyFolder();
    // A file may have 8 blocks of 1 KiB: the write that crosses the limit is cut short, the next one refused.
    const child = start("bash", ["-c", 'ulimit -f 8; exec "$0" "$@"', process.execPath, appender, folder, "4", "500"]);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const acks = acknowledged(child);
    expect(acks.length).toBeGreaterThan(4);
    const failures = child.told.filter((line) => "failed" in line);
    expect(failures.length).toBe(4);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        failed: "audit-event/ledger-failed",
        state: { status: "failed", because: "EFBIG", queuedBytes: 0 },
      });
    }
    // Those in the write that failed are in doubt.
    expect(failures.filter((failure) => failure["retryable"] === false).length).toBeGreaterThan(0);
    const ledger = await openLedger({ folder });
    expect(ledger.state().recovered?.bytes).toBeGreaterThan(0);
    expect(ledger.state().durable.entries).toBeGreaterThanOrEqual(acks.length);
    await ledger.close();
    expect(await verifyLedger(folder)).toMatchObject({ ok: true });
  });
});
