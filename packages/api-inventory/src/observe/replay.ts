import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkCount } from "../checks.ts";
import { createDayOf, type DayOf } from "../cms/calendar.ts";
import type { SightingEntry } from "../cms/journal-entry.ts";
import type { UsageSource } from "../cms/report.ts";
import { type InventoryEntry, isFhirEntry } from "../entry.ts";
import { declares, declaresMethod } from "../match.ts";
import { checkEntries } from "../registry.ts";
import { createObservations, observe } from "./observations.ts";
import { buildReport, type InventoryReport } from "./report.ts";
import { sightingEntry, sightingOf, sightingsOfEntries } from "./sighting.ts";

export interface InventoryReportOptions {
  /** The endpoints there are; whatever else was called is told as undeclared. */
  readonly entries: readonly InventoryEntry[];
  /** Default now. */
  readonly now?: Date;
  /** Days of traffic after which something without any is called unused. Default 30. */
  readonly unusedDays?: number;
  /** Clients, scopes and types kept for each entry. Default 1000. */
  readonly maxNames?: number;
  /** Undeclared paths kept. Default 1000. */
  readonly maxUndeclared?: number;
}

const KNOWN = ["entries", "now", "unusedDays", "maxNames", "maxUndeclared"];
export const DAY_MS = 86_400_000;

/**
 * What is declared, what traffic shows, and where they differ, from AccessRecords or lines of the journal.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export async function inventoryReport(
  records: AsyncIterable<UsageSource> | Iterable<UsageSource>,
  options: InventoryReportOptions,
): Promise<InventoryReport> {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const { entries, now = new Date(), unusedDays = 30, maxNames = 1000, maxUndeclared = 1000 } = options;
  checkEntries(found, entries);
  checkCount(found, "unusedDays", unusedDays, 1, 3660);
  checkCount(found, "maxNames", maxNames, 1, 100_000);
  checkCount(found, "maxUndeclared", maxUndeclared, 1, 100_000);
  found.throwIfAny("inventoryReport()");

  const bounds = { maxNames, maxUndeclared };
  const observations = createObservations(bounds, entries.length);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const dayOf = createDayOf("UTC");
  for await (const record of records) {
    for (const sighting of sightingsIn(record, dayOf)) {
      observe(observations, sighting, bounds, declaresSighting(byId, sighting));
    }
  }
  const since = observations.firstAt ?? now.getTime();
  return buildReport({
    entries,
    observations,
    now: now.getTime(),
    watchedLongEnough: now.getTime() - since >= unusedDays * DAY_MS,
    mounted: [],
  });
}

function sightingsIn(source: UsageSource, dayOf: DayOf): readonly SightingEntry[] {
  if ("kind" in source) return source.kind === "sighting" ? [source] : [];
  const seen = [sightingOf(source), ...sightingsOfEntries(source)];
  return seen.map((sighted) => sightingEntry(sighted, source.receivedAt, dayOf));
}

/** Whether the entry a sighting names declares what was done; undefined when no entry is named. */
export function declaresSighting(
  byId: ReadonlyMap<string, InventoryEntry>,
  { entry: id, interaction, operation, resourceType: type, method }: SightingEntry,
): boolean | undefined {
  const entry = id === undefined ? undefined : byId.get(id);
  if (entry === undefined) return undefined;
  return isFhirEntry(entry) ? declares(entry, { code: interaction, operation, type }) : declaresMethod(entry, method);
}
