import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { UsageJournal } from "../journal/journal.ts";

export interface ObservePasOptions {
  /** Takes what was seen; its owner closes it. */
  readonly journal: UsageJournal;
  /**
   * Says of a ClaimResponse that the time frame of its review was extended: PAS has no element for it, so it is where your
   * payer's system puts it. Fast, and without a memory of what it saw. Default: never.
   */
  readonly isExtended?: (claimResponse: { readonly [name: string]: Json }) => boolean;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

export type ParsedPasOptions = Required<ObservePasOptions>;

export function parsePasOptions(options: ObservePasOptions): ParsedPasOptions {
  const found = findings();
  refuseUnknownKeys(found, options, ["journal", "isExtended", "now"]);
  const { journal, isExtended = () => false, now = Date.now } = options;
  if (typeof journal?.priorAuth !== "function")
    found.add("journal", "not-a-journal", "give what openUsageJournal() returns");
  if (typeof isExtended !== "function") found.add("isExtended", "not-a-function", "give a function");
  if (typeof now !== "function") found.add("now", "not-a-function", "give a function");
  found.throwIfAny("observePas()");
  return Object.freeze({ journal, isExtended, now });
}
