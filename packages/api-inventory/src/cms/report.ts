import type { AccessRecord } from "@wardline/policy-types";
import { yearOf } from "./calendar.ts";
import { createCases, type PriorAuthCase, resolveCase } from "./cases.ts";
import { apiTypeOf, trafficOf, transfersOf } from "./entries-of.ts";
import type { JournalEntry, TrafficEntry, TransferEntry } from "./journal-entry.ts";
import { type CmsReportOptions, type ParsedCmsOptions, parseCmsOptions } from "./options.ts";
import { createPatients, type MoreThanOnce, type PatientCounts, type Patients } from "./patients.ts";
import { type PriorAuthFigures, priorAuthFigures } from "./prior-auth-figures.ts";
import { createTrafficTotals, type TrafficFigures, type TrafficTotals } from "./traffic.ts";

/** What the reports are made of: finished requests as they are, lines of the journal, or both. */
export type UsageSource = AccessRecord | JournalEntry;

/** One calendar year. Aggregated: no patient, no client, no hash. */
export interface CmsYear {
  readonly year: number;
  readonly patientAccess: PatientCounts;
  readonly priorAuthorization: PriorAuthFigures;
  /** By API type, in order of their names. */
  readonly apis: readonly TrafficFigures[];
}

export interface CmsReport {
  readonly timeZone: string;
  /** How "more than once" was understood. */
  readonly moreThanOnce: MoreThanOnce;
  /** False when a bound was met: the figures are then too low, by no more than `beyondBounds`. */
  readonly complete: boolean;
  readonly beyondBounds: { readonly transfers: number; readonly priorAuthRequests: number };
  readonly years: readonly CmsYear[];
}

/**
 * The figures of CMS-0057-F: Patient Access usage (42 CFR 422.119(f) and its siblings), prior authorisation (422.122(c)
 * and its siblings) by the year in which a request was received, and requests, times and errors of each API type.
 *
 * Memory is bounded by `maxPatients` and `maxCases`. Does NOT know what did not pass through: paper, fax, portals.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export async function cmsReport(
  records: AsyncIterable<UsageSource> | Iterable<UsageSource>,
  options: CmsReportOptions = {},
): Promise<CmsReport> {
  const totals = createTotals(parseCmsOptions(options));
  for await (const record of records) totals.add(record);
  return totals.report();
}

interface YearTotals {
  readonly patients: Patients;
  readonly apis: Map<string, TrafficTotals>;
}

function createTotals(options: ParsedCmsOptions): { add(source: UsageSource): void; report(): CmsReport } {
  const { counting, maxPatients, maxCases, moreThanOnce, timeZone, years: wanted } = options;
  const years = new Map<number, YearTotals>();
  const cases = createCases(maxCases);

  function yearTotals(year: number): YearTotals {
    const known = years.get(year);
    if (known !== undefined) return known;
    const opened = { patients: createPatients(moreThanOnce, maxPatients), apis: new Map() };
    years.set(year, opened);
    return opened;
  }

  function addTransfer(entry: TransferEntry): void {
    yearTotals(yearOf(entry.day)).patients.add(entry);
  }

  function addTraffic({ day, apiType, ...traffic }: Omit<TrafficEntry, "kind">): void {
    const { apis } = yearTotals(yearOf(day));
    // API types are words of the policy; the bound keeps a broken journal from filling memory.
    const name = apis.has(apiType) || apis.size < MAX_API_TYPES ? apiType : "(others)";
    const totals = apis.get(name) ?? createTrafficTotals();
    totals.add(traffic);
    apis.set(name, totals);
  }

  function addRecord(record: AccessRecord): void {
    for (const transfer of transfersOf(record, counting)) addTransfer(transfer);
    addTraffic({ day: counting.dayOf(record.receivedAt), apiType: apiTypeOf(record), ...trafficOf(record) });
  }

  return {
    add(source) {
      if (!("kind" in source)) addRecord(source);
      else if (source.kind === "transfer") addTransfer(source);
      else if (source.kind === "traffic") addTraffic(source);
      else if (source.kind === "prior-auth") cases.add(source);
    },
    report() {
      const byYear = new Map<number, PriorAuthCase[]>();
      for (const events of cases.all()) {
        const one = resolveCase(events);
        if (one === undefined) continue;
        const year = yearOf(counting.dayOf(one.submittedAt));
        const group = byYear.get(year);
        if (group === undefined) byYear.set(year, [one]);
        else group.push(one);
      }
      const all = [...new Set([...years.keys(), ...byYear.keys()])].sort((a, b) => a - b);
      const transfers = [...years.values()].reduce((sum, { patients }) => sum + patients.dropped, 0);
      return {
        timeZone,
        moreThanOnce,
        complete: transfers === 0 && cases.dropped === 0,
        beyondBounds: { transfers, priorAuthRequests: cases.dropped },
        years: (wanted ?? all).map((year) => yearReport(year, years.get(year), byYear.get(year) ?? [])),
      };
    },
  };
}

const MAX_API_TYPES = 200;

function yearReport(year: number, totals: YearTotals | undefined, cases: readonly PriorAuthCase[]): CmsYear {
  const apis = [...(totals?.apis ?? [])].map(([apiType, traffic]) => traffic.figures(apiType));
  return {
    year,
    patientAccess: totals?.patients.counts() ?? { unique: 0, moreThanOnce: 0 },
    priorAuthorization: priorAuthFigures(cases),
    apis: apis.sort((a, b) => (a.apiType < b.apiType ? -1 : 1)),
  };
}
