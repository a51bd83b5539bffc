import type { KeyProvider } from "@wardline/policy-types";
import { ledgerBroken } from "./faults.ts";
import { EventOpener } from "./seal.ts";
import { walkLedger } from "./walk.ts";

/** One entry as read back. */
export interface LedgerEntry {
  readonly seq: number;
  readonly at: string;
  readonly hash: string;
  readonly event: unknown;
}

export interface ReadOptions {
  /** Number of the first entry to give. Files that end before it are not looked at. Default 0. */
  readonly from?: number;
  /** Opens events that were encrypted. */
  readonly encryption?: KeyProvider;
}

/**
 * Reads a ledger's entries in order, each checked against the one before it. Throws at the first that does not fit, so
 * that nothing unverified is taken for a record.
 *
 * @throws {DependencyError} when the ledger does not verify, or an event's key cannot be had
 */
export async function* readLedger(folder: string, options: ReadOptions = {}): AsyncGenerator<LedgerEntry, void> {
  const { from = 0, encryption } = options;
  let opener = new EventOpener(encryption, "");
  for await (const step of walkLedger(folder, from)) {
    if (step.kind === "fault") throw ledgerBroken(step.at, step.because);
    if (step.kind === "begin") opener = new EventOpener(encryption, step.instance);
    if (step.kind !== "entry") continue;
    const { entry, before } = step;
    const { seq, at, hash } = entry;
    const text = await opener.open(before, entry, seq >= from);
    if (seq >= from) yield { seq, at, hash, event: JSON.parse(text) as unknown };
  }
}
