import { randomBytes } from "node:crypto";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkCount } from "../checks.ts";
import { createDayOf, isTimeZone } from "./calendar.ts";
import type { Counting } from "./entries-of.ts";
import type { MoreThanOnce } from "./patients.ts";
import { createPseudonym } from "./pseudonym.ts";

export interface CmsReportOptions {
  /** Years to report. Default every year that occurs. */
  readonly years?: readonly number[];
  /**
   * Keys the hashes of patients: at least 32 bytes, the journal's own when its entries and AccessRecords are mixed.
   * Default a random one: the report shows no hash.
   */
  readonly key?: Uint8Array;
  /** Decides where a day and a year begin. Default `UTC`. */
  readonly timeZone?: string;
  /** A second request counts as a second transfer (`request`), or only one on another day (`day`). Default `request`. */
  readonly moreThanOnce?: MoreThanOnce;
  /** API types whose answers go to apps that patients chose. Default `["patient-access"]`. */
  readonly patientAccess?: readonly string[];
  /** Patients counted for each year; about 100 bytes each. Beyond, the report says so. Default 5000000. */
  readonly maxPatients?: number;
  /** Prior-authorisation requests held; about 800 bytes each. Beyond, the report says so. Default 1000000. */
  readonly maxCases?: number;
}

export type ParsedCmsOptions = Required<Pick<CmsReportOptions, "moreThanOnce" | "maxPatients" | "maxCases">> &
  Pick<CmsReportOptions, "years"> & { readonly timeZone: string; readonly counting: Counting };

const KNOWN = ["years", "key", "timeZone", "moreThanOnce", "patientAccess", "maxPatients", "maxCases"];

export function parseCmsOptions(options: CmsReportOptions): ParsedCmsOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    years,
    key = randomBytes(32),
    timeZone = "UTC",
    moreThanOnce = "request",
    patientAccess = ["patient-access"],
    maxPatients = 5_000_000,
    maxCases = 1_000_000,
  } = options;
  checkKey(found, key);
  if (!isTimeZone(timeZone)) found.add("timeZone", "unknown-value", "give a time zone such as America/New_York");
  if (!["request", "day"].includes(moreThanOnce)) found.add("moreThanOnce", "unknown-value", "use request or day");
  if (years !== undefined && !(Array.isArray(years) && years.every((year) => Number.isSafeInteger(year)))) {
    found.add("years", "malformed", "give a list of years");
  }
  if (!Array.isArray(patientAccess) || patientAccess.length === 0) {
    found.add("patientAccess", "malformed", "give a list with at least one API type");
  }
  checkCount(found, "maxPatients", maxPatients, 1, 16_000_000);
  checkCount(found, "maxCases", maxCases, 1, 4_000_000);
  found.throwIfAny("cmsReport()");
  return Object.freeze({
    moreThanOnce,
    maxPatients,
    maxCases,
    timeZone,
    ...(years === undefined ? {} : { years }),
    counting: { apiTypes: new Set(patientAccess), dayOf: createDayOf(timeZone), pseudonym: createPseudonym(key) },
  });
}

function checkKey(found: ReturnType<typeof findings>, key: unknown): void {
  if (key instanceof Uint8Array && key.length >= 32) return;
  found.add("key", "too-short", "give at least 32 random bytes");
}
