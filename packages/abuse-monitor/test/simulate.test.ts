import { describe, expect, it } from "vitest";
import { simulate } from "../src/index.ts";
import { AT, principal, record } from "./support/records.ts";

const key = new Uint8Array(16).fill(9);

async function* ledger() {
  for (let n = 0; n < 60; n++) {
    yield record({
      receivedAt: AT + n * 1000,
      resource: `Patient/p-${n * 13}`,
      patients: [`p-${n * 13}`],
      principal: principal("reader"),
    });
  }
}

describe("simulate", () => {
  it("says what would have been told and done under changed thresholds", async () => {
    const strict = {
      key,
      thresholds: { patientEnumeration: { patients: 20 } },
      responses: { "patient-enumeration": { action: "block", seconds: 60 } },
    } as const;
    const before = await simulate(ledger(), { key });
    const after = await simulate(ledger(), strict);
    expect(before).toMatchObject({ records: 60, from: AT, to: AT + 59_000, alerts: [], measures: [] });
    expect(after.byPattern["patient-enumeration"]).toEqual({ alerts: 1, callers: 1 });
    expect(after.alerts[0]?.at).toBe(AT + 19_000);
    expect(after.measures).toMatchObject([{ action: "block", state: "active", until: AT + 79_000 }]);
  });

  it("gives the same report for the same records, policy and key", async () => {
    const policy = { key, thresholds: { patientEnumeration: { patients: 20 } } };
    expect(await simulate(ledger(), policy)).toEqual(await simulate(ledger(), policy));
  });

  it("keeps as many alerts as it was told to, and counts all", async () => {
    const report = await simulate(
      ledger(),
      { key, repeatSeconds: 1, thresholds: { patientEnumeration: { patients: 20 } } },
      3,
    );
    expect(report.alerts).toHaveLength(3);
    expect(report.byPattern["patient-enumeration"].alerts).toBeGreaterThan(10);
  });

  it("of nothing is nothing", async () => {
    expect(await simulate([])).toMatchObject({ records: 0, alerts: [], measures: [] });
  });
});
