import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkCount } from "../checks.ts";
import { createDayOf, isTimeZone } from "../cms/calendar.ts";
import type { Counting } from "../cms/entries-of.ts";
import { createPseudonym } from "../cms/pseudonym.ts";

/** The journal became unable to write, or able again. Told once per change. */
export interface JournalDegradation {
  readonly kind: "degraded" | "recovered";
  /** Code of the operating system: `ENOSPC`. `stuck`: a write has not ended for two seconds. */
  readonly code: string;
  /** Lines lost so far, because more waited than are held. */
  readonly lost: number;
}

export interface UsageJournalOptions {
  /** Path of the file; made when it is not there, readable by its owner only. Each process has its own. */
  readonly file: string;
  /** Keys the hashes of patients and cases: at least 32 random bytes, the same for all instances and for the whole year. */
  readonly key: Uint8Array;
  /** Decides where a day begins. Default `UTC`. */
  readonly timeZone?: string;
  /** API types whose answers go to apps that patients chose. Default `["patient-access"]`. */
  readonly patientAccess?: readonly string[];
  /** Seconds between two writes; what a crash may lose of the counts. Prior-authorisation entries are written at once. Default 60. */
  readonly flushSeconds?: number;
  /** Lines held while the disk cannot take them. Default 10000. */
  readonly maxPending?: number;
  /** Default: a process warning. May not throw. */
  readonly onDegraded?: (change: JournalDegradation) => void;
}

export type ParsedJournalOptions = Required<
  Pick<UsageJournalOptions, "file" | "flushSeconds" | "maxPending" | "onDegraded">
> & {
  readonly counting: Counting;
};

const KNOWN = ["file", "key", "timeZone", "patientAccess", "flushSeconds", "maxPending", "onDegraded"];

export function parseJournalOptions(options: UsageJournalOptions): ParsedJournalOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    file,
    key,
    timeZone = "UTC",
    patientAccess = ["patient-access"],
    flushSeconds = 60,
    maxPending = 10_000,
    onDegraded = warn,
  } = options;
  if (typeof file !== "string" || file === "") found.add("file", "required", "give the path of a file");
  if (!(key instanceof Uint8Array && key.length >= 32)) found.add("key", "too-short", "give at least 32 random bytes");
  if (!isTimeZone(timeZone)) found.add("timeZone", "unknown-value", "give a time zone such as America/New_York");
  checkNames(found, patientAccess);
  checkCount(found, "flushSeconds", flushSeconds, 1, 3600);
  checkCount(found, "maxPending", maxPending, 100, 1_000_000);
  if (typeof onDegraded !== "function") found.add("onDegraded", "not-a-function", "give a function");
  found.throwIfAny("openUsageJournal()");
  const counting = { apiTypes: new Set(patientAccess), dayOf: createDayOf(timeZone), pseudonym: createPseudonym(key) };
  return Object.freeze({ file, flushSeconds, maxPending, onDegraded, counting });
}

function checkNames(found: Findings, names: unknown): void {
  if (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string")) return;
  found.add("patientAccess", "malformed", "give a list with at least one API type");
}

function warn({ kind, code, lost }: JournalDegradation): void {
  process.emitWarning(`the usage journal is ${kind} (${code}), ${lost} lines lost so far`, {
    code: "WARDLINE_USAGE_JOURNAL",
  });
}
