import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HistoryEntry, parseEntry, renderEntry } from "../src/history/entry.ts";
import { type AbuseMonitorHandler, type AbuseMonitorOptions, type Alert, abuseMonitor } from "../src/index.ts";
import { AT, ISSUER, principal, record, stranger } from "./support/records.ts";

const KEY = new Uint8Array(16).fill(5);
const NOTE = { operator: "ops-1", because: "as agreed" };

describe("what is remembered over a restart", () => {
  let folder: string;
  let file: string;
  const open: AbuseMonitorHandler[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "abuse-history-"));
    file = join(folder, "history");
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((monitor) => monitor.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  function start(options: AbuseMonitorOptions = {}) {
    const alerts: Alert[] = [];
    const states: string[] = [];
    const monitor = abuseMonitor({
      key: KEY,
      now: () => AT,
      history: { file },
      onAlert: (alert) => alerts.push(alert),
      onDegraded: ({ kind, code }) => states.push(`${kind} ${code}`),
      ...options,
    });
    open.push(monitor);
    return { monitor, alerts, states };
  }

  const guess = (monitor: AbuseMonitorHandler, from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const problem = "smart-auth/token-invalid";
      monitor.see(stranger({ receivedAt: AT + n * 1000, problem, peerAddress: "198.51.100.7" }));
    }
  };

  it("half of an attack before the restart and half after it are found together", async () => {
    const before = start();
    guess(before.monitor, 0, 39);
    await before.monitor.close();
    expect(before.alerts).toEqual([]);
    const after = start();
    guess(after.monitor, 39, 40);
    expect(after.alerts.map(({ pattern }) => pattern)).toEqual(["token-guessing"]);
    expect(after.states).toEqual([]);
  });

  it("without a file it begins anew: the test above shows the file", async () => {
    const before = start();
    guess(before.monitor, 0, 39);
    await before.monitor.close();
    rmSync(file);
    const after = start();
    guess(after.monitor, 39, 40);
    expect(after.alerts).toEqual([]);
    expect(after.states).toEqual([]);
  });

  it("a block holds from the first request on, an override too, and neither is told twice", async () => {
    const responses = { "token-guessing": { action: "block" } } as const;
    const before = start({ responses });
    guess(before.monitor, 0, 40);
    const [blocked] = before.monitor.measures.list();
    const whom = { kind: "subject", pseudonym: before.monitor.pseudonymOf({ kind: "subject", name: "x" }) } as const;
    const lifted = before.monitor.measures.impose(whom, NOTE);
    before.monitor.measures.lift(`block/subject/${lifted.whom.pseudonym}`, NOTE);
    await before.monitor.close();
    const after = start({ responses });
    expect(after.monitor.measures.list()).toEqual(before.monitor.measures.list());
    expect(after.monitor.measures.list()[0]).toEqual(blocked);
    guess(after.monitor, 40, 45);
    expect(after.alerts).toEqual([]);
  });

  it("a measure that has run out meanwhile does not come back", async () => {
    const before = start({ responses: { "token-guessing": { action: "block", seconds: 900 } } });
    guess(before.monitor, 0, 40);
    await before.monitor.close();
    expect(start({ now: () => AT + 1_000_000 }).monitor.measures.list()).toEqual([]);
  });

  it("a caller's own days and its peers' level are what they were, estimates included", async () => {
    const before = start();
    for (let day = 0; day < 4; day++) {
      for (let n = 0; n < 150; n++) {
        const id = `d${day}x${n}`;
        const receivedAt = AT + day * 86_400_000 + n * 60_000;
        before.monitor.see(record({ receivedAt, resourceType: "Patient", resource: `Patient/${id}`, patients: [id] }));
      }
    }
    const known = [...before.monitor.handOver().entries];
    expect(known.some((entry) => "peers" in entry)).toBe(true);
    expect(JSON.stringify(known.map(renderEntry))).toContain("$registers");
    await before.monitor.close();
    // What was handed over is the other's to write.
    expect(existsSync(file)).toBe(false);
    const writes = start({ remembered: before.monitor.handOver() });
    await writes.monitor.close();
    const after = start();
    expect([...after.monitor.handOver().entries]).toEqual([...writes.monitor.handOver().entries]);
    expect(new Set([...after.monitor.handOver().entries].map(renderEntry))).toEqual(new Set(known.map(renderEntry)));
  });

  it("made-up names of clients are no proven ones after it", async () => {
    const login = (clientId: string, succeeded: boolean, at: number) => ({ at, issuer: ISSUER, clientId, succeeded });
    const before = start({ maxCallers: 100 });
    before.monitor.seeLogin(login("known", true, AT));
    for (let n = 0; n < 80; n++) before.monitor.seeLogin(login(`made-up-${n}`, false, AT + n));
    const { client, claimed } = before.monitor.snapshot().tracked;
    expect([client, claimed]).toEqual([1, 80]);
    await before.monitor.close();
    expect(start({ maxCallers: 100 }).monitor.snapshot().tracked).toMatchObject({ client, claimed });
  });

  it("windows of another length begin anew, the others go on", async () => {
    const before = start();
    guess(before.monitor, 0, 39);
    for (let n = 0; n < 11; n++) enumerate(before.monitor, n);
    await before.monitor.close();
    const after = start({ thresholds: { tokenGuessing: { windowSeconds: 1200 } } });
    guess(after.monitor, 39, 40);
    enumerate(after.monitor, 11);
    expect(after.alerts.map(({ pattern }) => pattern)).toEqual(["patient-enumeration"]);
  });

  function enumerate(monitor: AbuseMonitorHandler, n: number): void {
    const id = `p-${n + 100}`;
    const request = { resourceType: "Patient", resource: `Patient/${id}`, patients: [id] };
    monitor.see(record({ receivedAt: AT + n * 1000, ...request, principal: principal("counting") }));
  }

  it.each([
    ["one byte is another", (bytes: Buffer) => bytes.with(60, (bytes[60] ?? 0) ^ 1)],
    ["its end is missing", (bytes: Buffer) => bytes.subarray(0, -30)],
    ["its seal is missing", (bytes: Buffer) => bytes.subarray(0, bytes.lastIndexOf("\n", -2) + 1)],
    ["it is empty", () => Buffer.alloc(0)],
    ["it is something else", () => Buffer.from("PK\u0003\u0004")],
  ])("F12: a file is put aside, and that is said, when %s", async (_how, spoil) => {
    const before = start();
    guess(before.monitor, 0, 39);
    await before.monitor.close();
    const spoilt = spoil(readFileSync(file));
    writeFileSync(file, spoilt);
    const after = start();
    expect(after.states).toEqual(["degraded abuse-monitor/history-not-read"]);
    expect(readFileSync(`${file}.unreadable`)).toEqual(Buffer.from(spoilt));
    guess(after.monitor, 39, 40);
    expect(after.alerts).toEqual([]);
    await after.monitor.close();
    expect(start().states).toEqual([]);
  });

  it("a file under another key is put aside: its pseudonyms name nobody here", async () => {
    await start().monitor.close();
    const after = start({ key: new Uint8Array(16).fill(6) });
    expect(after.states).toEqual(["degraded abuse-monitor/history-not-read"]);
  });

  it("a file beyond the bound is not read, and none beyond it is written: whoever was seen last is kept", async () => {
    const before = start({ history: { file, maxBytes: 200_000 } });
    for (let n = 0; n < 2000; n++) before.monitor.see(record({ receivedAt: AT + n, principal: principal(`u-${n}`) }));
    await before.monitor.close();
    expect(statSync(file).size).toBeLessThanOrEqual(200_000);
    const { subject, address } = start({ history: { file, maxBytes: 200_000 } }).monitor.snapshot().tracked;
    expect(subject + address).toBeGreaterThan(100);
    const known = readFileSync(file, "latin1");
    const nameOf = (name: string) => before.monitor.pseudonymOf({ kind: "subject", issuer: ISSUER, name });
    expect(known).toContain(nameOf("u-1999"));
    expect(known).not.toContain(nameOf("u-0"));
    expect(start({ history: { file, maxBytes: 1000 } }).states).toEqual(["degraded abuse-monitor/history-not-read"]);
  });

  it("A14: names nobody, and nobody else may read it", async () => {
    const { monitor } = start();
    monitor.see(record({ principal: principal("dr-who"), patients: ["p-secret"], peerAddress: "203.0.113.99" }));
    await monitor.close();
    expect(readFileSync(file, "latin1")).not.toMatch(/dr-who|p-secret|203\.0\.113/);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it("what a crash left half written beside it does no harm", async () => {
    const before = start();
    guess(before.monitor, 0, 39);
    await before.monitor.close();
    writeFileSync(`${file}.tmp`, "half");
    const after = start();
    guess(after.monitor, 39, 40);
    expect(after.alerts).toHaveLength(1);
    expect(after.states).toEqual([]);
  });

  it("F12: a file that cannot be written is told once, and once it can be", async () => {
    file = join(folder, "later", "history");
    const { monitor, states } = start({ history: { file, intervalSeconds: 1 } });
    await expect.poll(() => states, { timeout: 5000 }).toEqual(["degraded abuse-monitor/history-not-written"]);
    await mkdir(join(folder, "later"));
    await expect.poll(() => states.at(-1), { timeout: 5000 }).toBe("recovered abuse-monitor/history-not-written");
    expect(states).toHaveLength(2);
    monitor.see(record());
  });

  it("a random key is no key to remember by: a mistake at start", () => {
    expect(() => abuseMonitor({ history: { file } })).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
    expect(() => start({ history: { file: "" } })).toThrow();
    expect(() => start({ history: { file, intervalSeconds: 0 } })).toThrow();
  });

  it("every entry is written and read as it was", () => {
    const sketch = fc.nat(255).map((rank) => new Uint8Array(512).fill(rank));
    const anything = fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(fc.integer(), sketch));
    fc.assert(
      fc.property(anything, fc.string(), (state, pseudonym) => {
        const entry: HistoryEntry = {
          caller: ["subject", pseudonym, { "bulk-access": { seen: Object.entries(state) } }],
        };
        expect(parseEntry(renderEntry(entry))).toEqual(entry);
      }),
    );
  });
});
