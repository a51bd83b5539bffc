import { checkpointSigner, openLedger, renderAuditEvents } from "@wardline/audit-event";
import type { AccessRecord } from "@wardline/policy-types";

const SOURCE = { observer: "edge", address: "https://fhir.example" };

/** A finished request, permitted, on one patient. */
export function record(change: Partial<AccessRecord> = {}): AccessRecord {
  return {
    requestId: "request-1",
    receivedAt: Date.parse("2026-01-31T12:00:00Z"),
    latencyMs: 12.5,
    zone: "patient",
    apiType: "patient-access",
    routeId: "patient-access",
    policyVersion: "abc",
    method: "GET",
    interaction: "read",
    resourceType: "Patient",
    resource: "Patient/ash",
    parameters: [],
    patients: ["ash"],
    principal: {
      issuer: "https://id.example",
      subject: "user-1",
      clientId: "app-1",
      roles: [],
      purposeOfUse: [],
      scopes: ["patient/Patient.rs"],
    },
    peerAddress: "192.0.2.1",
    decisions: [{ control: "smart-auth", kind: "permit", because: ["patient/Patient.rs", "clause 1"] }],
    outcome: "permit",
    status: 200,
    completed: true,
    requestBytes: 0,
    responseBytes: 120,
    upstream: "fhir",
    ...change,
  };
}

/** Writes the records' events to a log, signed when there is a key. */
export async function writeLedger(
  folder: string,
  records: readonly AccessRecord[],
  key?: { readonly name: string; readonly privateKey: string },
): Promise<void> {
  const ledger = await openLedger({ folder, ...(key === undefined ? {} : { signer: checkpointSigner(key) }) });
  for (const one of records) await ledger.append(renderAuditEvents(one, { source: SOURCE }));
  await ledger.close();
}
