import type { AccessRecord } from "@wardline/policy-types";
import type { RenderOptions } from "./event.ts";
import { renderAuditEvents } from "./render.ts";
import type { AuditEvent } from "./resource.ts";

/**
 * What an answer's end adds to what was written before it was sent: nothing when it ended as foreseen. A broken
 * transfer or another status is told in full, with the same request id; patients that only came to light while a body
 * was streamed get their events.
 */
export function followUp(before: AccessRecord, end: AccessRecord, options: RenderOptions): AuditEvent[] {
  if (!end.completed) return renderAuditEvents(end, { ...options, followsUp: "the answer was not sent whole" });
  if (end.status !== before.status || end.problem !== before.problem) {
    return renderAuditEvents(end, { ...options, followsUp: "another answer was sent" });
  }
  const known = new Set(before.patients);
  const further = end.patients.filter((patient) => !known.has(patient));
  if (further.length === 0) return [];
  const { entries: _, ...rest } = end;
  return renderAuditEvents({ ...rest, patients: further }, { ...options, followsUp: "further patients in the answer" });
}
