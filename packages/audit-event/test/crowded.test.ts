import { setTimeout } from "node:timers/promises";
import { contextOf, sendProblem } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createCrowding } from "../src/crowding.ts";
import { type AuditDegradation, type AuditEvent, auditEvent, openLedger, readLedger } from "../src/index.ts";
import { emptyFolder } from "./support/folders.ts";
import { holdSync } from "./support/held-disk.ts";
import { SOURCE } from "./support/records.ts";

afterEach(() => vi.restoreAllMocks());

const KIB = 1024;

describe("a queue that fills", () => {
  const state = (queuedBytes: number) => ({
    status: "open" as const,
    durable: { entries: 0, hash: "" },
    queuedBytes,
    mostQueuedBytes: 1024 * KIB,
  });

  it("F9: shuts the door when what waits and what is under way fill half of it, and opens at a quarter", () => {
    const crowding = createCrowding();
    expect(crowding.isCrowded(state(512 * KIB))).toBe(false);
    expect(crowding.isCrowded(state(512 * KIB + 1))).toBe(true);
    expect(crowding.isCrowded(state(256 * KIB + 1))).toBe(true);
    expect(crowding.isCrowded(state(256 * KIB))).toBe(false);
    for (let n = 0; n < 64; n++) crowding.begin();
    expect(crowding.isCrowded(state(256 * KIB))).toBe(false);
    crowding.begin();
    expect(crowding.isCrowded(state(256 * KIB))).toBe(true);
    for (let n = 0; n < 65; n++) crowding.end();
    expect(crowding.isCrowded(state(256 * KIB))).toBe(false);
  });

  it("S8: stays open however many are under way while the disk keeps up", () => {
    const crowding = createCrowding();
    for (let n = 0; n < 100_000; n++) crowding.begin();
    expect(crowding.isCrowded(state(128 * KIB))).toBe(false);
    expect(crowding.isCrowded(state(128 * KIB + 1))).toBe(true);
    expect(crowding.isCrowded(state(128 * KIB))).toBe(false);
  });

  it("leaves alone a ledger that says no bound", () => {
    const { mostQueuedBytes: _, ...unbounded } = state(1e12);
    expect(createCrowding().isCrowded(unbounded)).toBe(false);
  });
});

describe.each(EXPRESS)("auditEvent() on %s while the disk hangs", (_name, express) => {
  it.each(["async", "before-response"] as const)(
    "F9, A15: answers nobody whose record has no room (%s)",
    async (durability) => {
      const folder = await emptyFolder();
      const ledger = await openLedger({ folder, queueBytes: 256 * KIB });
      const changes: AuditDegradation[] = [];
      const app = express();
      const audit = auditEvent({
        ledger,
        source: SOURCE,
        durability,
        appendDeadlineMs: 20_000,
        onDegraded: (change) => changes.push(change),
      });
      let handled = 0;
      app.use(audit);
      app.use(async (req, res) => {
        handled++;
        contextOf(req).patients.add("p1");
        await setTimeout(5);
        if (req.url === "/broken") sendProblem(res, { code: "t/t", status: 500, issue: "exception", detail: "no" });
        else res.json({ resourceType: "Patient", id: "p1" });
      });
      const url = await listen(app);
      const releases: (() => void)[] = [];
      const sync = await holdSync(() => new Promise<void>((resolve) => releases.push(resolve)));

      const asked = Array.from({ length: 400 }, async (_, n) => {
        await setTimeout(n);
        return ask(`${url}/${n}`);
      });
      await vi.waitFor(() => expect(changes).toHaveLength(1), 10_000);
      await setTimeout(500);
      sync.mockRestore();
      for (const release of releases) release();
      const statuses = (await Promise.all(asked)).map(({ status }) => status);

      expect(changes[0]).toMatchObject({ kind: "degraded", code: "audit-event/ledger-full", unrecorded: 0 });
      const answered = statuses.filter((status) => status === 200).length;
      expect(answered).toBe(handled);
      expect(answered).toBeGreaterThan(20);
      expect(statuses.filter((status) => status === 503)).toHaveLength(400 - answered);
      expect(answered).toBeLessThan(400);

      await vi.waitFor(() => expect(changes.at(-1)).toMatchObject({ kind: "recovered", unrecorded: 0 }));
      expect((await ask(url)).status).toBe(200);
      await vi.waitFor(async () => expect(await accesses(folder)).toBe(answered + 1));
      await audit.close();
      await ledger.close();
    },
  );

  it("onFailure: continue answers all the same, and says how many have no record", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder, queueBytes: 16 * KIB });
    const changes: AuditDegradation[] = [];
    const app = express();
    app.use(
      auditEvent({
        ledger,
        source: SOURCE,
        durability: "async",
        onFailure: "continue",
        onDegraded: (change) => changes.push(change),
      }),
    );
    app.use((_req, res) => void res.json({}));
    const url = await listen(app);
    let release = (): void => undefined;
    const sync = await holdSync(() => new Promise<void>((resolve) => (release = resolve)));
    for (let n = 0; n < 40; n++) expect((await ask(url)).status).toBe(200);
    expect(changes).toMatchObject([{ kind: "degraded", code: "audit-event/ledger-full" }]);
    sync.mockRestore();
    release();
    await vi.waitFor(() => expect(ledger.state().queuedBytes).toBe(0));
    expect((await ask(url)).status).toBe(200);
    await vi.waitFor(() => expect(changes.at(-1)?.kind).toBe("recovered"));
    const lost = changes.reduce((sum, { kind, unrecorded }) => sum + (kind === "recovered" ? unrecorded : 0), 0);
    await vi.waitFor(async () => expect((await accesses(folder)) + lost).toBe(41));
    await ledger.close();
  });
});

/** How many requests the log tells of. */
async function accesses(folder: string): Promise<number> {
  let count = 0;
  for await (const { event } of readLedger(folder)) {
    const { entity = [] } = event as Partial<AuditEvent>;
    if (entity.some(({ type }) => type.code === "XrequestId")) count++;
  }
  return count;
}
