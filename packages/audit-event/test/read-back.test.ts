import type { AccessRecord } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import {
  accessRecordsOf,
  createNaming,
  followUp,
  openLedger,
  pseudonymOf,
  type RenderOptions,
  readLedger,
  renderAuditEvents,
  renderSystemEvent,
} from "../src/index.ts";
import { emptyFolder } from "./support/folders.ts";
import { READ, record, SOURCE, without } from "./support/records.ts";

const CLEAR: RenderOptions = { source: SOURCE };

async function readBack(events: readonly object[]): Promise<AccessRecord[]> {
  const records: AccessRecord[] = [];
  for await (const each of accessRecordsOf(events.map((event) => ({ event })))) records.push(each);
  return records;
}

const principal = READ.principal as NonNullable<AccessRecord["principal"]>;

describe("what a ledger holds, as access records again", () => {
  it.each<[string, AccessRecord]>([
    ["a read", READ],
    ["of three patients", record({ patients: ["p1", "p2", "p3"] })],
    ["a batch that held data of one and wrote to another", record({ patients: ["p1", "p2"], delivered: ["p2"] })],
    ["a batch that only wrote", record({ patients: ["p1", "p2"], delivered: [] })],
    [
      "a search without a patient",
      without(record({ interaction: "search-type", parameters: ["name", "birthdate"], patients: [] }), "resource"),
    ],
    [
      "a refusal",
      record({
        outcome: "deny",
        status: 403,
        problem: "smart-auth/scope-insufficient",
        decisions: [
          {
            control: "smart-auth",
            kind: "deny",
            because: ["no scope", "at all"],
            code: "smart-auth/scope-insufficient",
          },
        ],
      }),
    ],
    [
      "a failed login",
      without(record({ outcome: "deny", status: 401, problem: "smart-auth/token-expired" }), "principal"),
    ],
    ["a client alone", record({ principal: { ...withoutFhirUser(principal), subject: "app-1" } })],
    ["broken off", record({ completed: false })],
    ["through a proxy", record({ forwardedAddress: "198.51.100.3", correlationId: "c-1", upstream: "main" })],
    [
      "for a partner, with an organisation",
      record({ zone: "partner", principal: { ...principal, organisation: "org-1" } }),
    ],
    [
      "A15: an emergency in which nothing was found",
      record({ principal: { ...principal, purposeOfUse: ["BTG"] }, delivered: [] }),
    ],
    ["A15: a partner that finds nothing", record({ zone: "partner", delivered: [] })],
    ["an emergency", record({ principal: { ...principal, purposeOfUse: ["BTG"], tenant: "t1" } })],
    [
      "A15: a batch with what each of its entries asked",
      without(
        record({
          interaction: "batch",
          method: "POST",
          patients: ["p1", "p2"],
          entries: [
            {
              method: "GET",
              interaction: "read",
              resourceType: "Observation",
              resource: "Observation/a",
              parameters: [],
              patients: ["p1"],
              outcome: "permit",
              status: 200,
            },
            {
              method: "GET",
              interaction: "search-type",
              resourceType: "Condition",
              parameters: ["code", "patient"],
              patients: ["p1", "p2"],
              delivered: ["p1"],
              outcome: "permit",
              status: 200,
            },
            {
              method: "GET",
              interaction: "read",
              resourceType: "Patient",
              resource: "Patient/p3",
              parameters: [],
              patients: [],
              outcome: "deny",
              status: 404,
              problem: "smart-auth/not-found",
            },
          ],
        }),
        "resource",
      ),
    ],
  ])("%s", async (_what, wanted) => {
    expect(await readBack(renderAuditEvents(wanted, CLEAR))).toEqual([wanted]);
  });

  it("passes over what is no request, follow-ups, and whatever else is there", async () => {
    const broken = record({ completed: false });
    const events = [
      renderSystemEvent("security-alert", { because: "x" }, { source: SOURCE }),
      ...renderAuditEvents(READ, CLEAR),
      ...followUp(READ, broken, CLEAR),
      {},
      { resourceType: "AuditEvent", entity: [{ detail: [{ type: "latency-ms", valueString: "1" }] }] },
    ];
    expect(await readBack(events)).toEqual([READ]);
    expect(await readBack([null, 1, "x"] as never)).toEqual([]);
  });

  it("A15: keeps requests apart to which their client gave one id", async () => {
    const records = [
      record({ patients: ["p1", "p2"] }),
      record({ receivedAt: READ.receivedAt + 1000 }),
      record({ receivedAt: READ.receivedAt + 1000, latencyMs: 7 }),
    ];
    expect(await readBack(records.flatMap((one) => renderAuditEvents(one, CLEAR)))).toEqual(records);
  });

  it("keeps hashed names hashed, one for each patient, and names nobody", async () => {
    const key = { id: "k1", key: new Uint8Array(32).fill(7) };
    const hashed = { source: SOURCE, namingFor: createNaming("hashed", key) };
    const [back] = await readBack(renderAuditEvents(record({ patients: ["p1", "p2"] }), hashed));
    expect(back?.patients).toEqual([pseudonymOf(key, "Patient", "p1"), pseudonymOf(key, "Patient", "p2")]);
    expect(back?.resource).toBe(`Patient/${pseudonymOf(key, "Patient", "p1")}`);
    expect(back?.principal).toMatchObject({ issuer: principal.issuer, clientId: "app-1" });
    expect(JSON.stringify(back)).not.toMatch(/user-7|Practitioner\/7|"p1"/);
  });

  it("reads a ledger from disk, in order, each request once", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    for (const requestId of ["a", "b", "c"]) {
      await ledger.append(renderAuditEvents(record({ requestId, patients: ["p1", "p2"] }), CLEAR));
    }
    await ledger.close();
    const seen: string[] = [];
    for await (const { requestId } of accessRecordsOf(readLedger(folder))) seen.push(requestId);
    expect(seen).toEqual(["a", "b", "c"]);
  });
});

describe("facts that others bring", () => {
  it("an alert of the abuse monitor, in the shape its renderAlertFacts gives", () => {
    const facts = {
      success: false,
      because: "more is read in a day than the caller's history or its peers explain",
      zone: "partner" as const,
      details: {
        alert: "0J3kq",
        pattern: "bulk-access",
        severity: "high",
        at: "2026-01-31T12:00:00.000Z",
        "client-pseudonym": "v1.abc",
        "patients-a-day": 400,
        "patients-a-day-threshold": 100,
        "patients-a-day-seconds": 86_400,
        "request-id": "req-1",
        suppressed: 3,
      },
    };
    const event = renderSystemEvent("security-alert", facts, { source: SOURCE });
    expect(event).toMatchObject({ type: { code: "110113" }, outcome: "8", outcomeDesc: facts.because });
    const details = event.entity.flatMap(({ detail = [] }) =>
      detail.map(({ type, valueString }) => [type, valueString]),
    );
    expect(Object.fromEntries(details)).toEqual({
      kind: "security-alert",
      zone: "partner",
      ...Object.fromEntries(Object.entries(facts.details).map(([name, value]) => [name, String(value)])),
    });
  });

  it("the cache status of an answer, where a record has one", () => {
    const cached = { ...READ, cacheStatus: "edge; hit; ttl=30" };
    expect(JSON.stringify(renderAuditEvents(cached, CLEAR))).toContain(
      '"cache-status","valueString":"edge; hit; ttl=30"',
    );
    expect(JSON.stringify(renderAuditEvents(READ, CLEAR))).not.toContain("cache-status");
  });
});

function withoutFhirUser(from: typeof principal): typeof principal {
  return Object.fromEntries(Object.entries(from).filter(([name]) => name !== "fhirUser")) as never;
}
