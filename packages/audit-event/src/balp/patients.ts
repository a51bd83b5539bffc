import type { AccessRecord } from "@wardline/policy-types";

/** The patients of a record, as its events tell of them. */
export interface SharedOut {
  /** One event for each of these. */
  readonly apart: readonly string[];
  /** One for each list. */
  readonly together: readonly (readonly string[])[];
}

/**
 * BALP asks for an event for each patient, and up to a thousand have one. A resource may name ten thousand: the others are told a
 * hundred together, without a profile that means a single patient, so that one request cannot fill the queue in which
 * the records of all wait. Who is named by a request that was refused is the caller's to say, and nothing was
 * shown: a hundred of them have an event, and a thousand are named in all.
 */
export function shareOut(record: AccessRecord): SharedOut {
  const { patients } = record;
  if (patients.length <= FEW) return { apart: patients, together: NONE };
  const apart = isRefused(record) ? FEW : MOST_APART;
  const together: (readonly string[])[] = [];
  const end = patients.length - unnamed(record);
  for (let at = apart; at < end; at += TOGETHER) together.push(patients.slice(at, Math.min(at + TOGETHER, end)));
  return { apart: patients.slice(0, apart), together };
}

/** How many patients of the record no event names. */
export function unnamed(record: AccessRecord): number {
  return isRefused(record) ? Math.max(0, record.patients.length - MOST_OF_REFUSED) : 0;
}

function isRefused({ outcome, completed }: AccessRecord): boolean {
  return outcome === "deny" && completed;
}

const FEW = 100;
const MOST_APART = 1000;
const MOST_OF_REFUSED = 1000;
const TOGETHER = 100;
const NONE: SharedOut["together"] = Object.freeze([]);
