import { type AccessRecord, accessOfEntry, type EntryRecord } from "@wardline/policy-types";
import { deniedUseEvent } from "./alert.ts";
import { entryEntity, objectEntity } from "./entities.ts";
import type { Rendering } from "./event.ts";
import { isDeniedUse } from "./outcome.ts";
import type { AuditEvent } from "./resource.ts";
import { restEvent } from "./rest.ts";

/**
 * What each entry of a batch or transaction asked, as the request it stands for, tied to the whole by its request id: one event
 * each, of one patient or of several together, and a Security Alert for each that was refused. Does NOT tell the caller's
 * circumstances again, nor more than a hundred patients of one entry: the events of the whole name all of them.
 */
export function entryEvents(whole: Rendering): AuditEvent[] {
  return (whole.record.entries ?? []).flatMap((entry, at) => {
    const facts = renderingOf(whole, entry, at);
    const event = restEvent(facts, concerned(entry.patients));
    return isDeniedUse(facts.record) ? [event, deniedUseEvent(facts)] : [event];
  });
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
  return patients.length > 1 ? patients.slice(0, MOST_TOGETHER) : patients[0];
}

const MOST_TOGETHER = 100;
