import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError, DependencyError } from "@wardline/policy-types";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  DeliveryError,
  eventIdOf,
  type LedgerEntry,
  localKeyRing,
  openLedger,
  type ShipOptions,
  type Shipper,
  type Sink,
  type SinkChange,
  shipLedger,
} from "../../src/index.ts";
import { copyOf, emptyFolder } from "../support/folders.ts";
import { distinct, entries, entry, idsOf, keeping, sourceOf, until } from "./support/entries.ts";

const open: Shipper[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((shipper) => shipper.close()));
});

const down = (): never => {
  throw new DeliveryError("audit-event/sink-unreachable", "it is down", { retryable: true });
};
const never = (): Promise<never> => new Promise(() => undefined);
const poisoned = (batch: readonly LedgerEntry[]): void => {
  if (!batch.some(({ event }) => (event as { poison?: boolean }).poison === true)) return;
  throw new DeliveryError("audit-event/entry-rejected", "no", { retryable: false });
};

interface Setup {
  readonly shipper: Shipper;
  readonly changes: SinkChange[];
  readonly cursorFolder: string;
}

async function ship(sinks: readonly Sink[], options: Partial<ShipOptions>): Promise<Setup> {
  const changes: SinkChange[] = [];
  const cursorFolder = options.cursorFolder ?? (await emptyFolder());
  const shipper = shipLedger({
    folder: "unused",
    sinks,
    intervalMs: 5,
    firstRetryMs: 1,
    lastRetryMs: 5,
    closeDeadlineMs: 100,
    onChange: (change) => changes.push(change),
    ...options,
    cursorFolder,
  });
  open.push(shipper);
  return { shipper, changes, cursorFolder };
}

describe("shipLedger()", () => {
  it("delivers a ledger that is being written, from its first entry, in order and once", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    const sink = keeping("archive");
    const { shipper } = await ship([sink], { folder });
    for (let n = 0; n < 20; n++) await ledger.append([{ id: `a-${n}` }, { id: `b-${n}` }]);
    await ledger.close();
    await shipper.caughtUp();
    expect(sink.ids()).toEqual(Array.from({ length: 20 }, (_, n) => [`a-${n}`, `b-${n}`]).flat());
    expect(shipper.state()).toMatchObject([{ sink: "archive", delivered: 40, rejected: 0 }]);
  });

  it("opens what the ledger holds encrypted, and delivers nothing without the keys", async () => {
    const folder = await emptyFolder();
    const encryption = await localKeyRing({
      file: join(folder, "keys.json"),
      passphrase: "correct horse battery",
      create: true,
    });
    const ledger = await openLedger({ folder: join(folder, "audit"), encryption });
    await ledger.append([{ id: "a" }, { id: "b" }]);
    await ledger.close();
    const blind = await ship([keeping("s")], { folder: join(folder, "audit") });
    await until(() => blind.shipper.state()[0]?.failing !== undefined);
    const sink = keeping("s");
    const { shipper } = await ship([sink], { folder: join(folder, "audit"), encryption });
    await shipper.caughtUp();
    expect(sink.ids()).toEqual(["a", "b"]);
    expect(blind.shipper.state()).toMatchObject([{ delivered: 0 }]);
  });

  it("goes on from its cursor after a restart", async () => {
    const source = sourceOf(entries(25));
    const first = keeping("s");
    const { shipper, cursorFolder } = await ship([first], { read: source.read });
    await shipper.caughtUp();
    await shipper.close();
    expect(JSON.parse(await readFile(join(cursorFolder, "s.cursor.json"), "utf8"))).toMatchObject({ v: 1, seq: 24 });
    source.held.push(...entries(3, 25));
    const second = keeping("s");
    const again = await ship([second], { read: source.read, cursorFolder });
    await again.shipper.caughtUp();
    expect(second.ids()).toEqual(idsOf(3, 25));
    expect(again.shipper.state()).toMatchObject([{ delivered: 28 }]);
  });

  it("loses nothing whatever fails, and what comes twice has the same id", async () => {
    const outcome = fc.constantFrom("take", "take", "refuse", "take-and-fail", "throw");
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { maxLength: 12 }), fc.integer({ min: 0, max: 40 }), async (script, count) => {
        const taken: string[] = [];
        let call = 0;
        const sink: Sink = {
          name: "s",
          limits: { batchEntries: 7 },
          async send(batch) {
            const step = script[call++] ?? "take";
            if (step === "throw") throw new Error("bug in a sink");
            if (step !== "refuse") taken.push(...batch.map(eventIdOf));
            if (step !== "take") down();
          },
        };
        const { shipper } = await ship([sink], { read: sourceOf(entries(count)).read });
        await shipper.caughtUp();
        await shipper.close();
        expect(distinct(taken)).toEqual(idsOf(count));
      }),
      { numRuns: 25 },
    );
  });

  it("F15: killed between a delivery and its cursor, it delivers that batch once more, with the same ids", async () => {
    const { read } = sourceOf(entries(40));
    const cursorFolder = await emptyFolder();
    const asKilled: { folder: string; had: string[] }[] = [];
    const first = keeping("s");
    const killed: Sink = {
      ...first,
      async send(batch, signal) {
        await first.send(batch, signal);
        asKilled.push({ folder: await copyOf(cursorFolder), had: [...first.ids()] });
      },
    };
    const { shipper } = await ship([killed], { read, cursorFolder });
    await shipper.caughtUp();
    expect(asKilled.length).toBe(4);
    for (const { folder, had } of asKilled) {
      const after = keeping("s");
      const next = await ship([after], { read, cursorFolder: folder });
      await next.shipper.caughtUp();
      expect(after.ids()).toEqual(idsOf(40).slice(had.length - 10));
      expect(distinct([...had, ...after.ids()])).toEqual(idsOf(40));
    }
  });

  it("F10: holds one batch while a sink is down for 100 000 entries, and delivers all of them afterwards", async () => {
    let isDown = true;
    const source = sourceOf(entries(100_000));
    const sink = keeping("s", () => (isDown ? down() : undefined), { batchEntries: 5000 });
    const { shipper, changes } = await ship([sink], { read: source.read });
    await until(() => (shipper.state()[0]?.failing?.attempts ?? 0) >= 5);
    expect(source.taken).toBeLessThanOrEqual(5001);
    isDown = false;
    await shipper.caughtUp();
    expect(sink.batches.length).toBe(20);
    expect(distinct(sink.ids()).length).toBe(100_000);
    expect(changes.map(({ kind, code }) => [kind, code])).toEqual([
      ["failing", "audit-event/sink-unreachable"],
      ["recovered", "audit-event/sink-unreachable"],
    ]);
  });

  it("bounds a batch by bytes, and sends a larger event alone", async () => {
    const large = entry(1, { text: "x".repeat(500) });
    const source = sourceOf([entry(0), large, entry(2), entry(3)]);
    const sink = keeping("s", undefined, { batchBytes: 200 });
    const { shipper } = await ship([sink], { read: source.read });
    await shipper.caughtUp();
    expect(sink.batches).toEqual([["event-0"], ["event-1"], ["event-2", "event-3"]]);
  });

  it("F10: a sink that hangs is given up at its deadline, called again only when it has settled, and holds up no other", async () => {
    let calls = 0;
    let settle: (() => void) | undefined;
    const hanging: Sink = {
      name: "hanging",
      limits: { deadlineMs: 10 },
      send() {
        calls += 1;
        return calls > 1
          ? Promise.resolve()
          : new Promise((resolve) => {
              settle = resolve;
            });
      },
    };
    const healthy = keeping("healthy");
    const { shipper, changes } = await ship([hanging, healthy], { read: sourceOf(entries(30)).read });
    await until(() => shipper.state()[1]?.delivered === 30);
    await until(() => shipper.state()[0]?.failing?.code === "audit-event/sink-hung");
    expect(calls).toBe(1);
    expect(shipper.state()).toMatchObject([{ delivered: 0 }, { delivered: 30 }]);
    expect(changes).toEqual([{ sink: "hanging", kind: "failing", code: "audit-event/sink-timeout" }]);
    settle?.();
    await shipper.caughtUp();
    expect(shipper.state()).toMatchObject([{ delivered: 30 }, { delivered: 30 }]);
  });

  it("tells the sink by its signal that its time is up", async () => {
    const aborted = vi.fn();
    const sink: Sink = {
      name: "s",
      limits: { deadlineMs: 10 },
      send: (_batch, signal) => {
        signal.addEventListener("abort", aborted);
        return never();
      },
    };
    await ship([sink], { read: sourceOf(entries(1)).read });
    await until(() => aborted.mock.calls.length === 1);
  });

  it("waits as long as the receiver asks", async () => {
    const at: number[] = [];
    const sink = keeping("s", (_batch, call) => {
      at.push(performance.now());
      if (call === 0) {
        throw new DeliveryError("audit-event/sink-refused", "later", { retryable: true, retryAfterMs: 150 });
      }
    });
    const { shipper } = await ship([sink], { read: sourceOf(entries(1)).read });
    await shipper.caughtUp();
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(145);
  });

  it("finds the one entry a receiver never takes, notes it durably, and delivers the others", async () => {
    const held = entries(20);
    held[13] = entry(13, { poison: true });
    const sink = keeping("s", poisoned);
    const { shipper, changes, cursorFolder } = await ship([sink], { read: sourceOf(held).read });
    await shipper.caughtUp();
    expect(sink.ids()).toEqual(idsOf(20).filter((id) => id !== "event-13"));
    expect(changes).toEqual([{ sink: "s", kind: "rejected", code: "audit-event/entry-rejected", seq: 13 }]);
    const noted = JSON.parse(await readFile(join(cursorFolder, "s.rejected.jsonl"), "utf8")) as object;
    expect(noted).toEqual({ seq: 13, hash: entry(13).hash, id: "event-13", code: "audit-event/entry-rejected" });
    expect(shipper.state()).toMatchObject([{ delivered: 20, rejected: 1 }]);
  });

  it("tells of entries that expired before they were delivered, and not to a sink that is new", async () => {
    const { read } = sourceOf(entries(5));
    const old = await ship([keeping("s")], { read });
    await old.shipper.caughtUp();
    await old.shipper.close();
    const kept = (): AsyncIterable<LedgerEntry> => sourceOf(entries(3, 7)).read(0);
    const sinks = [keeping("s"), keeping("new")];
    const { shipper, changes } = await ship(sinks, { read: kept, cursorFolder: old.cursorFolder });
    await shipper.caughtUp();
    expect(sinks.map((sink) => sink.ids())).toEqual([idsOf(3, 7), idsOf(3, 7)]);
    expect(changes).toEqual([{ sink: "s", kind: "missed", code: "audit-event/entries-missing", seq: 5 }]);
  });

  it.each([
    ["another ledger's", { v: 1, seq: 3, hash: "0".repeat(64) }, "audit-event/cursor-foreign"],
    ["a longer ledger's", { v: 1, seq: 9, hash: entry(9).hash }, "audit-event/cursor-foreign"],
    ["no", {}, "audit-event/cursor-broken"],
    ["an unreadable", "{", "audit-event/cursor-broken"],
  ])("delivers nothing after %s cursor", async (_whose, cursor, code) => {
    const cursorFolder = await emptyFolder();
    const text = typeof cursor === "string" ? cursor : JSON.stringify(cursor);
    await writeFile(join(cursorFolder, "s.cursor.json"), text);
    const sink = keeping("s");
    const { shipper, changes } = await ship([sink], { read: sourceOf(entries(5)).read, cursorFolder });
    await until(() => (shipper.state()[0]?.failing?.attempts ?? 0) >= 2);
    expect(changes).toEqual([{ sink: "s", kind: "failing", code }]);
    expect(sink.ids()).toEqual([]);
  });

  it("delivers what precedes a fault of the ledger, and tells of one that stays", async () => {
    const broken = new DependencyError("audit-event/ledger-broken", "it is broken", { retryable: false });
    let faults = 0;
    let lasting = 1;
    const held = entries(6);
    async function* read(fromSeq: number): AsyncGenerator<LedgerEntry, void> {
      yield* held.slice(fromSeq, 4);
      if (faults++ < lasting) throw broken;
      yield* held.slice(Math.max(fromSeq, 4));
    }
    const sink = keeping("s");
    const { shipper, changes } = await ship([sink], { read });
    await shipper.caughtUp();
    expect(sink.ids()).toEqual(idsOf(6));
    expect(changes).toEqual([]);
    lasting = Number.POSITIVE_INFINITY;
    await until(() => changes.length === 1);
    expect(changes).toEqual([{ sink: "s", kind: "failing", code: "audit-event/ledger-broken" }]);
  });

  it("F15: delivers on close what is there, although the next look is an hour away", async () => {
    const source = sourceOf(entries(1));
    const sink = keeping("s");
    const { shipper } = await ship([sink], { read: source.read, intervalMs: 3_600_000 });
    await shipper.caughtUp();
    source.held.push(...entries(2, 1));
    await shipper.close();
    expect(sink.ids()).toEqual(idsOf(3));
    await shipper.close();
    await shipper.caughtUp();
  });

  it("F15: does not wait on close for a sink that fails", async () => {
    const { shipper } = await ship([keeping("s", down)], { read: sourceOf(entries(1)).read, closeDeadlineMs: 10_000 });
    await until(() => shipper.state()[0]?.failing !== undefined);
    const before = performance.now();
    await shipper.close();
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it("F15: closes in bounded time although a sink hangs", async () => {
    const { shipper, changes } = await ship([{ name: "s", send: never }], { read: sourceOf(entries(1)).read });
    await sleep(10);
    const before = performance.now();
    await shipper.close();
    expect(performance.now() - before).toBeLessThan(1000);
    expect(changes).toEqual([]);
  });

  it("F12: warns when nobody listens, and survives a listener that throws", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const failing = keeping("s", (_batch, call) => (call === 0 ? down() : undefined));
    const cursorFolder = await emptyFolder();
    const { read } = sourceOf(entries(1));
    const shipper = shipLedger({ folder: "f", cursorFolder, sinks: [failing], read, firstRetryMs: 1, intervalMs: 5 });
    open.push(shipper);
    await shipper.caughtUp();
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      "the audit sink s does not deliver (audit-event/sink-unreachable)",
      "the audit sink s delivers again (audit-event/sink-unreachable)",
    ]);
    warned.mockRestore();
    const again = await ship([keeping("t", (_batch, call) => (call === 0 ? down() : undefined))], {
      read,
      onChange: () => {
        throw new Error("listener broke");
      },
    });
    await again.shipper.caughtUp();
  });

  it.each([
    ["nothing", {}, ["folder required", "cursorFolder required", "sinks required"]],
    ["a misspelled name", { cursorFoldr: "c" }, ["cursorFoldr unknown-option", "cursorFolder required"]],
    ["names that are none", { sinks: [keeping("A b")] }, ["sinks[0] malformed"]],
    ["one name twice", { sinks: [keeping("a"), keeping("a")] }, ["sinks[1].name duplicate"]],
    ["no time", { sinks: [keeping("a", undefined, { deadlineMs: 0 })] }, ["sinks[0].limits.deadlineMs out-of-range"]],
    ["retries that shrink", { firstRetryMs: 10, lastRetryMs: 9 }, ["lastRetryMs out-of-range"]],
  ])("refuses %s", (_what, options, expected) => {
    const good = { folder: "f", cursorFolder: "c", sinks: [keeping("a")] };
    const bare = Object.keys(options).length === 0;
    const { cursorFolder: _, ...rest } = good;
    const base = bare ? {} : "cursorFoldr" in options ? rest : good;
    try {
      shipLedger({ ...base, ...options } as never);
      expect.fail("it took the options");
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
    }
  });
});
