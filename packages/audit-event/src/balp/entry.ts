import { type AccessRecord, accessOfEntry, type EntryRecord } from "@wardline/policy-types";
import { deniedUseEvent } from "./alert.ts";
import { entriesEntity, entryEntity, objectEntity } from "./entities.ts";
import type { Rendering } from "./event.ts";
import { isDeniedUse } from "./outcome.ts";
import type { AuditEvent } from "./resource.ts";
import { restEvent } from "./rest.ts";

/** One request may hold ten thousand entries, and must not fill the queue in which the records of all wait. */
const MOST_APART = 500;
const TOGETHER = 100;

/**
 * What each entry of a batch or transaction asked, as the request it stands for, tied to the whole by its request id: one event
 * each, of one patient or of several together, and a Security Alert for each that was refused. Beyond five hundred a hundred are
 * told in one event, with one alert. Does NOT tell the caller's circumstances again, nor more than a hundred patients of one entry:
 * the events of the whole name all of them.
 */
export function entryEvents(whole: Rendering): AuditEvent[] {
  const { entries = [] } = whole.record;
  const events = entries.slice(0, MOST_APART).flatMap((entry, at) => eventsOf(renderingOf(whole, entry, at)));
  for (let from = MOST_APART; from < entries.length; from += TOGETHER) {
    events.push(...eventsTogether(whole, entries.slice(from, from + TOGETHER), from));
  }
  return events;
}

function eventsOf(facts: Rendering): AuditEvent[] {
  const event = restEvent(facts, concerned(facts.record.patients));
  return isDeniedUse(facts.record) ? [event, deniedUseEvent(facts)] : [event];
}

/** @param from the place of the first of them */
function eventsTogether(whole: Rendering, entries: readonly EntryRecord[], from: number): AuditEvent[] {
  const event = restEvent({ ...whole, transaction: entriesEntity(whole, entries, from) }, undefined);
  const refused = entries.findIndex((entry) => isDeniedUse(accessOfEntry(whole.record, entry)));
  if (refused < 0) return [event];
  return [event, deniedUseEvent(renderingOf(whole, entries[refused] as EntryRecord, from + refused))];
}

function renderingOf(whole: Rendering, entry: EntryRecord, at: number): Rendering {
  const record: AccessRecord = accessOfEntry(whole.record, entry);
  const { delivered } = entry;
  return {
    ...whole,
    record,
    object: objectEntity(record, whole.naming),
    transaction: entryEntity(record, at),
    delivered: delivered === undefined ? undefined : new Set(delivered),
  };
}

function concerned(patients: readonly string[]): string | readonly string[] | undefined {
  return patients.length > 1 ? patients.slice(0, MOST_CONCERNED) : patients[0];
}

const MOST_CONCERNED = 100;
