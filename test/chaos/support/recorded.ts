import { readLedger } from "@wardline/audit-event";
import type { Outcome } from "./load.ts";

const REFUSED_UNRECORDED = "audit-event/ledger-unavailable";

/** Answers that have no record in the ledger, though they should. */
export async function unrecorded(folder: string, outcomes: readonly Outcome[]): Promise<readonly string[]> {
  const recorded = new Set<string>();
  for await (const { event } of readLedger(folder)) {
    const { entity = [] } = event as { entity?: readonly { what?: { identifier?: { value?: string } } }[] };
    for (const { what } of entity) if (what?.identifier?.value !== undefined) recorded.add(what.identifier.value);
  }
  return outcomes
    .filter(({ status, code }) => status !== 0 && code !== REFUSED_UNRECORDED)
    .filter(({ requestId }) => !recorded.has(requestId))
    .map(({ requestId, status, code }) => `${requestId}: ${status} ${code}`);
}
