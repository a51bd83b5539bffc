import { type LedgerEntry, readLedger } from "@wardline/audit-event";
import { openRing, type RingFlags } from "../keys/ring.ts";
import { progressBar } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { bytesBefore, segmentSizes } from "./folder.ts";

/** A log's entries from one on, with a bar for somebody who watches and waits. */
export async function* readEntries(
  folder: string,
  from: number,
  { keyRing, passphraseEnv }: RingFlags,
  terminal: Pick<Terminal, "environment" | "watched" | "err" | "now">,
): AsyncGenerator<LedgerEntry, void> {
  const ring =
    keyRing === undefined ? {} : { encryption: await openRing(keyRing, terminal.environment, passphraseEnv) };
  const segments = await segmentSizes(folder);
  const total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const before = bytesBefore(segments);
  const start = before(from);
  const progress = progressBar(terminal, total - start);
  try {
    for await (const entry of readLedger(folder, { from, ...ring })) {
      progress.at(before(entry.seq) - start);
      yield entry;
    }
  } finally {
    progress.end();
  }
}
