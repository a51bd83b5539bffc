import { checkpointSigner, openLedger, renderAuditEvents } from "@wardline/audit-event";
import type { AccessRecord } from "@wardline/policy-types";
import { PERMITTED_READ } from "@wardline-tools/test-kit";

const SOURCE = { observer: "edge", address: "https://fhir.example" };

export function record(change: Partial<AccessRecord> = {}): AccessRecord {
  return { ...PERMITTED_READ, ...change };
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
