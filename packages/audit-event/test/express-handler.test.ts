import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { contextOf } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type AuditDegradation,
  type AuditEvent,
  type AuditEventHandler,
  type AuditEventOptions,
  auditEvent,
  openLedger,
  pseudonymOf,
  readLedger,
} from "../src/index.ts";
import { emptyFolder } from "./support/folders.ts";
import { memoryLedger } from "./support/memory-ledger.ts";
import { geoDatabase } from "./support/mmdb.ts";
import { SOURCE } from "./support/records.ts";

const handlers: AuditEventHandler[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(handlers.splice(0).map((handler) => handler.close()));
});

function audit(options: AuditEventOptions): AuditEventHandler {
  const handler = auditEvent(options);
  handlers.push(handler);
  return handler;
}

async function eventsIn(folder: string): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const { event } of readLedger(folder)) events.push(event as AuditEvent);
  return events;
}

const kinds = (events: readonly AuditEvent[]): unknown[] =>
  events.map(({ type, subtype }) => subtype?.at(-1)?.code ?? type.code);

describe.each(EXPRESS)("auditEvent() with a folder's name, on %s", (_name, express) => {
  async function serve(handler: AuditEventHandler): Promise<string> {
    const app = express();
    app.use(handler);
    app.use((req, res) => {
      contextOf(req).patients.add("p1");
      res.json({ resourceType: "Patient" });
    });
    return listen(app);
  }

  it("is all a small app needs: opens the ledger, records its begin, each request and its end", async () => {
    const folder = join(await emptyFolder(), "audit");
    const handler = audit({ ledger: folder });
    const url = await serve(handler);
    await handler.ready();
    expect((await ask(url)).status).toBe(200);
    await handler.close();
    expect((await ask(url)).status).toBe(503);
    const events = await eventsIn(folder);
    expect(kinds(events)).toEqual(["110134", "rest", "110133"]);
    for (const { source } of events) expect(source.observer).toEqual({ display: hostname() });
  });

  it("answers 503 until the ledger is open, tries again by itself, and tells both (F3, F12)", async () => {
    const folder = await emptyFolder();
    const before = await openLedger({ folder });
    const changes: AuditDegradation[] = [];
    const handler = audit({ ledger: folder, onDegraded: (change) => changes.push(change) });
    const url = await serve(handler);
    const refused = await ask(url);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "5"]);
    expect(JSON.parse(refused.text)).toMatchObject({
      resourceType: "OperationOutcome",
      issue: [{ code: "transient", details: { coding: [{ code: "audit-event/ledger-unavailable" }] } }],
    });
    await expect.poll(() => changes.length).toBe(1);
    await before.close();
    await handler.ready();
    expect((await ask(url)).status).toBe(200);
    expect(changes).toMatchObject([
      { kind: "degraded", code: "audit-event/ledger-locked" },
      { kind: "recovered", code: "audit-event/ledger-locked" },
    ]);
  });

  it("onFailure: continue answers while the ledger is being opened, and counts what is not recorded", async () => {
    const folder = await emptyFolder();
    const before = await openLedger({ folder });
    const changes: AuditDegradation[] = [];
    const handler = audit({ ledger: folder, onFailure: "continue", onDegraded: (change) => changes.push(change) });
    const url = await serve(handler);
    expect((await ask(url)).status).toBe(200);
    await before.close();
    await handler.ready();
    expect(changes.at(-1)).toMatchObject({ kind: "recovered", unrecorded: 1 });
  });

  it("F12: says which folder cannot be used, why, and what to give", async () => {
    const file = join(await emptyFolder(), "audit");
    await writeFile(file, "");
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    audit({ ledger: file });
    await expect
      .poll(() => warned.mock.calls.flat())
      .toContainEqual(
        `the audit log cannot record accesses (audit-event/ledger-unopened: the folder ${file} cannot be used (EEXIST); give one that this process may write in)`,
      );
    warned.mockRestore();
    await expect(openLedger({ folder: file })).rejects.toMatchObject({ code: "audit-event/ledger-unopened" });
  });

  it("F3: a process that waits for its ledger and does nothing else does not end meanwhile", async () => {
    const folder = await emptyFolder();
    const before = await openLedger({ folder });
    const timers = vi.spyOn(globalThis, "setTimeout");
    const handler = audit({ ledger: folder, onDegraded: () => undefined });
    const retries = () =>
      timers.mock.calls.flatMap(([, ms], at) => (ms === 100 ? [timers.mock.results[at]?.value as NodeJS.Timeout] : []));
    await expect.poll(() => retries().map((timer) => timer.hasRef())).toEqual([false]);
    const ready = handler.ready();
    expect(retries().map((timer) => timer.hasRef())).toEqual([true]);
    timers.mockRestore();
    await before.close();
    await ready;
  });

  it("can be closed before it was open", async () => {
    const folder = await emptyFolder();
    const before = await openLedger({ folder });
    const handler = audit({ ledger: folder, onDegraded: () => undefined });
    await handler.close();
    await expect(handler.ready()).rejects.toMatchObject({ code: "audit-event/ledger-closed" });
    await before.close();
    await (await openLedger({ folder })).close();
  });

  it("gives up a ledger that opens only after it was closed", async () => {
    const folder = await emptyFolder();
    await audit({ ledger: folder }).close();
    const next = await openLedger({ folder });
    expect(next.state()).toMatchObject({ status: "open", durable: { entries: 0 } });
    await next.close();
  });

  it("hashes identifiers by zone, on the way from the request to the ledger", async () => {
    const ledger = memoryLedger();
    const identifierKey = { id: "k1", key: new Uint8Array(32).fill(1) };
    const url = await serve(audit({ ledger, source: SOURCE, identifiers: { patient: "clear" }, identifierKey }));
    await ask(url);
    const text = JSON.stringify(ledger.events);
    expect(text).not.toContain("Patient/p1");
    expect(text).toContain(pseudonymOf(identifierKey, "Patient", "p1"));
  });

  it.each(["path", "object"])("tells where the caller is, by a database given as %s", async (how) => {
    const data = { country: { iso_code: "US" }, subdivisions: [{ iso_code: "MA" }], city: { names: { en: "Boston" } } };
    const path = join(await emptyFolder(), "geo.mmdb");
    await writeFile(path, geoDatabase(127, data));
    const ledger = memoryLedger();
    const geolocation = how === "path" ? path : { get: () => data };
    const url = await serve(audit({ ledger, source: SOURCE, geolocation }));
    await expect
      .poll(async () => {
        await ask(url);
        return JSON.stringify(ledger.events.at(-1));
      })
      .toContain('{"type":"country","valueString":"US"},{"type":"region","valueString":"MA"}');
    expect(JSON.stringify(ledger.events)).not.toContain("Boston");
  });

  it("does not open without the database it was promised", async () => {
    const changes: AuditDegradation[] = [];
    const folder = await emptyFolder();
    const geolocation = join(folder, "missing.mmdb");
    const handler = audit({ ledger: join(folder, "audit"), geolocation, onDegraded: (change) => changes.push(change) });
    const url = await serve(handler);
    await expect.poll(() => changes.length).toBe(1);
    expect((await ask(url)).status).toBe(503);
    expect(changes).toMatchObject([{ kind: "degraded", code: "audit-event/geolocation-unreadable" }]);
  });
});

describe("what is not a request", () => {
  it("is recorded by the handler's record(), and its failure is the caller's to know", async () => {
    const ledger = memoryLedger();
    const handler = audit({ ledger, source: SOURCE });
    await handler.record("start");
    await handler.record("policy-loaded", { details: { "policy-version": "sha256:abc" } });
    expect(kinds(ledger.events)).toEqual(["110120", "policy-loaded"]);
    expect(JSON.stringify(ledger.events[1])).toContain('{"type":"policy-version","valueString":"sha256:abc"}');
    await expect(handler.record("reboot" as never)).rejects.toThrow("there is no such kind of event");
    ledger.mode = "fail";
    await expect(handler.record("stop")).rejects.toMatchObject({ code: "audit-event/ledger-failed" });
  });

  it("a heartbeat shows that recording goes on, until the ledger or the handler is closed", async () => {
    vi.useFakeTimers();
    const ledger = memoryLedger();
    const handler = audit({ ledger, source: SOURCE, heartbeatSeconds: 10 });
    await vi.advanceTimersByTimeAsync(25_000);
    expect(kinds(ledger.events)).toEqual(["heartbeat", "heartbeat"]);
    await handler.close();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(ledger.events.length).toBe(2);
    expect(ledger.state().status).toBe("open");

    const other = memoryLedger();
    audit({ ledger: other, source: SOURCE, heartbeatSeconds: 10 });
    await other.close();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(other.events).toEqual([]);
  });

  it("no heartbeat when none is wanted, and a failing one harms nobody", async () => {
    vi.useFakeTimers();
    const ledger = memoryLedger();
    audit({ ledger, source: SOURCE, heartbeatSeconds: 0 });
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(ledger.events).toEqual([]);
    ledger.mode = "reject";
    audit({ ledger, source: SOURCE });
    await vi.advanceTimersByTimeAsync(300_000);
    vi.useRealTimers();
    await sleep(5);
    expect(ledger.events).toEqual([]);
  });
});
