import type { AuditEvent, LedgerEntry } from "@wardline/audit-event";
import { CliError } from "../exit.ts";

/** Which entries somebody wants to see. */
export interface SelectFlags {
  readonly from: number;
  readonly limit?: number;
  readonly since?: string;
  readonly until?: string;
  readonly patient?: string;
}

/** Whether an entry is among them. Every condition that is given must hold. */
export function selector({ since, until, patient }: SelectFlags): (entry: LedgerEntry) => boolean {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : timeOf(since, "--since");
  const to = until === undefined ? Number.POSITIVE_INFINITY : timeOf(until, "--until");
  return ({ at, event }) => {
    const time = Date.parse(at);
    if (time < from || time >= to) return false;
    return patient === undefined || concerns(event as Partial<AuditEvent>, patient);
  };
}

/** In clear as `Patient/id`, or hashed as its pseudonym (`pseudonymOf` of audit-event). */
function concerns({ entity = [] }: Partial<AuditEvent>, patient: string): boolean {
  const reference = patient.includes("/") ? patient : `Patient/${patient}`;
  return entity.some(({ what }) => what?.reference === reference || what?.identifier?.value === patient);
}

/** @throws {CliError} */
export function timeOf(text: string, option: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new CliError(`${option} is a date or a time: 2026-01-31 or 2026-01-31T12:00:00Z`);
  return time;
}
