import { readdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { auditEvent, openLedger, verifyLedger } from "../src/index.ts";
import { emptyFolder } from "./support/folders.ts";
import { holdSync } from "./support/held-disk.ts";
import { SOURCE } from "./support/records.ts";

afterEach(() => vi.restoreAllMocks());

describe("what an acknowledgement means", () => {
  it("F9: comes after the sync, and one sync serves all that arrived while another was under way", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    const releases: (() => void)[] = [];
    const sync = await holdSync(() => new Promise<void>((resolve) => releases.push(resolve)));
    const done: number[] = [];
    const append = (n: number): Promise<unknown> => ledger.append([{ n }]).then(() => done.push(n));

    const first = append(0);
    await vi.waitFor(() => expect(sync).toHaveBeenCalledTimes(1));
    const others = Array.from({ length: 100 }, (_, n) => append(n + 1));
    await setTimeout(30);
    expect(done).toEqual([]);
    expect(ledger.state().durable.entries).toBe(0);
    expect((await verifyLedger(folder)).ok).toBe(true);

    releases.shift()?.();
    await first;
    expect(done).toEqual([0]);
    await vi.waitFor(() => expect(sync).toHaveBeenCalledTimes(2));
    releases.shift()?.();
    await Promise.all(others);
    expect(done.length).toBe(101);
    expect(sync).toHaveBeenCalledTimes(2);
    await ledger.close();
  });

  it("F9: a failed sync fails the ledger: nothing later is written or acknowledged", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, healAfterMs: 0 });
    const sync = await holdSync(() => Promise.reject(Object.assign(new Error("secret path"), { code: "EIO" })));
    const code = "audit-event/ledger-failed";
    await expect(ledger.append([{ n: 0 }])).rejects.toMatchObject({ code, retryable: false });
    sync.mockRestore();
    await expect(ledger.append([{ n: 1 }])).rejects.toMatchObject({ code, retryable: true });
    expect(ledger.state()).toMatchObject({ status: "failed", because: "EIO", durable: { entries: 0 }, queuedBytes: 0 });
    await ledger.close();
    expect(ledger.state().status).toBe("failed");

    // Whether entry 0 is there is for the next opening to find out.
    const again = await openLedger({ folder });
    expect(again.state()).toMatchObject({ status: "open", durable: { entries: 1 } });
    await again.close();
  });

  it("F1, F15: what is no request does not wait for a disk that hangs either", async () => {
    const ledger = await openLedger({ folder: await emptyFolder(), closeDeadlineMs: 50 });
    const audit = auditEvent({ ledger, source: SOURCE, appendDeadlineMs: 50 });
    let release = (): void => undefined;
    await holdSync(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const tooLate = { code: "audit-event/append-timeout", retryable: false };
    await expect(audit.record("stop")).rejects.toMatchObject(tooLate);
    await audit.close();
    release();
    await ledger.close();
  });

  it("F10, F15: a disk that hangs fills the queue, and close gives up in time and keeps the lock", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, queueBytes: 1024, closeDeadlineMs: 50 });
    let release = (): void => undefined;
    await holdSync(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const outcomes: string[] = [];
    for (let n = 0; n < 10; n++) {
      void ledger.append([{ n }]).then(
        () => outcomes.push("kept"),
        (error: unknown) => outcomes.push(String((error as { code?: unknown }).code)),
      );
    }
    await setTimeout(20);
    expect(new Set(outcomes)).toEqual(new Set(["audit-event/ledger-full"]));
    expect(ledger.state().queuedBytes).toBeLessThanOrEqual(1024);
    await expect(ledger.close()).rejects.toMatchObject({ code: "audit-event/ledger-close-timeout" });
    expect(await readdir(folder)).toContain("ledger.lock");
    await expect(openLedger({ folder })).rejects.toMatchObject({ code: "audit-event/ledger-locked" });
    release();
    await vi.waitFor(() => expect(outcomes).toContain("kept"));
  });
});
