import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { eventIdOf, type LedgerEntry, type Sink } from "../../../src/index.ts";

export function entry(seq: number, event: object = {}): LedgerEntry {
  const hash = createHash("sha256").update(`entry ${seq}`).digest("hex");
  return {
    seq,
    at: new Date(Date.UTC(2026, 0, 31) + seq).toISOString(),
    hash,
    event: { resourceType: "AuditEvent", id: `event-${seq}`, outcome: "0", ...event },
  } as LedgerEntry;
}

export function entries(count: number, from = 0): LedgerEntry[] {
  return Array.from({ length: count }, (_, n) => entry(from + n));
}

/** A ledger to read from that counts how many entries were taken out of it. */
export interface Source {
  readonly read: (fromSeq: number) => AsyncIterable<LedgerEntry>;
  taken: number;
  held: LedgerEntry[];
}

export function sourceOf(held: LedgerEntry[]): Source {
  const source: Source = {
    taken: 0,
    held,
    async *read(fromSeq) {
      for (let n = fromSeq; n < source.held.length; n++) {
        source.taken += 1;
        yield source.held[n] as LedgerEntry;
      }
    },
  };
  return source;
}

/** A sink that keeps the ids it got, batch by batch, and fails as told. */
export interface KeepingSink extends Sink {
  readonly batches: string[][];
  readonly ids: () => string[];
}

export function keeping(
  name: string,
  fail: (batch: readonly LedgerEntry[], call: number) => Promise<void> | void = () => undefined,
  limits: Sink["limits"] = {},
): KeepingSink {
  const batches: string[][] = [];
  let call = 0;
  return {
    name,
    limits: { batchEntries: 10, ...limits },
    batches,
    ids: () => batches.flat(),
    async send(batch) {
      await fail(batch, call++);
      batches.push(batch.map(eventIdOf));
    },
  };
}

export function idsOf(count: number, from = 0): string[] {
  return entries(count, from).map(eventIdOf);
}

/** The ids without what came again. */
export function distinct(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}

export async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; waited < 5000 && !what(); waited += 5) await sleep(5);
  expect(what()).toBe(true);
}
