import type { AuditEvent, LedgerEntry } from "@wardline/audit-event";
import type { AccessRecord } from "@wardline/policy-types";
import { finished, readEvent, type Told } from "./from-event.ts";

/** Records that wait for what may follow up: an answer that was recorded before it was sent can end otherwise. */
const MOST_WAITING = 20_000;

/**
 * Reads back the access records a log was written from: the events of one request become one record again, as it ended. Entries
 * that are no request (starts, policy changes, alerts) are passed over. Where the log holds hashes, hashes stand for the names,
 * which counts the same.
 *
 * Does NOT give what a log does not hold: roles of the caller beyond their text, and values of parameters. What follows up
 * after twenty thousand other requests is not taken in.
 */
export async function* recordsOf(entries: AsyncIterable<LedgerEntry>): AsyncGenerator<AccessRecord, void> {
  /** By request, in the order of their first events. Of one key there are several where a client gives all its requests one id. */
  const waiting = new Map<string, Told[]>();
  for await (const { event } of entries) {
    const told = readEvent(event as AuditEvent);
    if (told === undefined) continue;
    const key = `${told.receivedAt} ${told.requestId}`;
    const known = waiting.get(key) ?? [];
    const at = known.findLastIndex((one) => isSameRequest(one, told));
    const before = known[at];
    if (before !== undefined)
      known[at] = told.followsUp === "instead" ? endedAs(before, told) : withFurther(before, told);
    else if (told.followsUp !== "instead") waiting.set(key, [...known, told]);
    if (waiting.size <= MOST_WAITING) continue;
    for (const [oldest, records] of waiting) {
      waiting.delete(oldest);
      yield* records.map(finished);
      break;
    }
  }
  for (const records of waiting.values()) yield* records.map(finished);
}

/** They differ in how long they took; what follows up has taken longer. */
function isSameRequest(before: Told, next: Told): boolean {
  return next.followsUp !== undefined || before.latencyMs === next.latencyMs;
}

function withFurther(before: Told, next: Told): Told {
  return {
    ...before,
    patients: union(before.patients, next.patients),
    delivered: union(before.delivered, next.delivered),
  };
}

/** Of the events that tell so of one request, each tells of a patient. */
function endedAs(before: Told, end: Told): Told {
  const { followsUp } = before;
  return {
    ...end,
    followsUp,
    patients: union(before.patients, end.patients),
    delivered: union(before.delivered, end.delivered),
  };
}

const union = (some: readonly string[], more: readonly string[]): readonly string[] => [...new Set([...some, ...more])];
