import type { LedgerEntry } from "../ledger/read.ts";
import { eventIdOf } from "../shipper/sink.ts";

/** Entries as JSON lines, each with the id that tells duplicates and the hash that ties it to the ledger. */
export function linesOf(entries: readonly LedgerEntry[]): string {
  let text = "";
  for (const entry of entries) {
    const { seq, at, hash, event } = entry;
    text += `${JSON.stringify({ id: eventIdOf(entry), seq, at, hash, event })}\n`;
  }
  return text;
}
