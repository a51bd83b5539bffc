import { type AuditEvent, followUp, type LedgerEntry, renderAuditEvents } from "@wardline/audit-event";
import type { AccessRecord } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordsOf } from "../src/records/requests.ts";
import { record } from "./support/ledger.ts";

const OPTIONS = { source: { observer: "edge", address: "https://fhir.example" } };

async function readBack(events: readonly AuditEvent[]): Promise<AccessRecord[]> {
  async function* entries(): AsyncGenerator<LedgerEntry, void> {
    for (const event of events) yield { event } as LedgerEntry;
  }
  const found: AccessRecord[] = [];
  for await (const one of recordsOf(entries())) found.push(one);
  return found;
}

/** What stands in the log of an answer that was recorded before it was sent, and then ended so. */
function written(before: AccessRecord, end: AccessRecord): AuditEvent[][] {
  return [renderAuditEvents(before, OPTIONS), followUp(before, end, OPTIONS)];
}

describe("the records of a log", () => {
  it.each<[string, Partial<AccessRecord>]>([
    ["broke off", { completed: false, latencyMs: 70 }],
    ["became an error", { status: 502, problem: "gateway/upstream-failed", outcome: "deny", latencyMs: 70 }],
  ])("A15: an answer that %s after it was recorded counts once, as it ended", async (_what, change) => {
    const before = record();
    const other = record({ requestId: "request-2" });
    const [first = [], then = []] = written(before, { ...before, ...change });
    const found = await readBack([...first, ...renderAuditEvents(other, OPTIONS), ...then]);
    expect(found.map(({ requestId }) => requestId)).toEqual([before.requestId, other.requestId]);
    expect(found[0]).toMatchObject({ ...change, patients: before.patients });
    expect(found[1]).toEqual(other);
  });

  it("whatever comes between, each request is one record with all its patients", async () => {
    const patients = fc.uniqueArray(fc.constantFrom("ash", "birch", "cedar", "elm"), { minLength: 1 });
    const request = fc.record({ patients, further: patients, completed: fc.boolean(), wait: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), async (requests) => {
        const queue: { at: number; events: AuditEvent[] }[] = [];
        const expected = requests.map(({ patients: known, further, completed, wait }, index) => {
          const before = record({ requestId: `request-${index}`, patients: known });
          const all = [...new Set([...known, ...further])];
          const end = { ...before, patients: all, completed, latencyMs: before.latencyMs + wait };
          const [first = [], then = []] = written(before, end);
          queue.push({ at: index, events: first }, { at: index + wait + 0.5, events: then });
          return { requestId: before.requestId, patients: all.toSorted(), completed };
        });
        const events = queue.toSorted((a, b) => a.at - b.at).flatMap((one) => one.events);
        const found = (await readBack(events)).map(({ requestId, patients: told, completed }) => ({
          requestId,
          patients: told.toSorted(),
          completed,
        }));
        expect(found).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it("S8: what waits is bounded: the oldest are told as they were written", async () => {
    const before = record();
    const [first = [], then = []] = written(before, { ...before, completed: false });
    const others = Array.from({ length: 20_001 }, (_, index) => record({ requestId: `other-${index}` }));
    const found = await readBack([...first, ...others.flatMap((one) => renderAuditEvents(one, OPTIONS)), ...then]);
    expect(found.length).toBe(20_002);
    expect(found[0]).toEqual(before);
  });
});
