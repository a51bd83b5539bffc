import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkCount } from "./checks.ts";
import type { InventoryEntry } from "./entry.ts";
import type { UsageJournal } from "./journal/journal.ts";
import type { TrafficMetrics } from "./metrics/traffic-metrics.ts";
import { checkEntries, freezeEntries } from "./registry.ts";

export interface ApiInventoryOptions {
  /** The endpoints there are; whatever else is called is told as undeclared. */
  readonly entries: readonly InventoryEntry[];
  /** A request that no entry declares: noted, or answered 404. Entries of a batch are noted. Default `report`, which lets shadow endpoints answer. */
  readonly undeclared?: "report" | "refuse";
  /** Page that explains deprecations, for `Link`. Default none. */
  readonly documentation?: string;
  /** Takes figures and sightings; its owner closes it. Default none: what was seen is lost with the process. */
  readonly journal?: UsageJournal;
  /** Counts for Prometheus. Default none. */
  readonly metrics?: TrafficMetrics;
  /** Days of traffic after which something without any is called unused. Default 30. */
  readonly unusedDays?: number;
  /** Clients, scopes and types kept for each entry. Default 1000. */
  readonly maxNames?: number;
  /** Undeclared paths kept. Default 1000. */
  readonly maxUndeclared?: number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

type Optional = "documentation" | "journal" | "metrics";
export type ParsedOptions = Required<Omit<ApiInventoryOptions, Optional>> & Pick<ApiInventoryOptions, Optional>;

const KNOWN = [
  "entries",
  "undeclared",
  "documentation",
  "journal",
  "metrics",
  "unusedDays",
  "maxNames",
  "maxUndeclared",
  "now",
];

export function parseOptions(options: ApiInventoryOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  const {
    entries,
    undeclared = "report",
    documentation,
    journal,
    metrics,
    unusedDays = 30,
    maxNames = 1000,
    maxUndeclared = 1000,
    now = Date.now,
  } = options;
  checkEntries(found, entries);
  if (!["report", "refuse"].includes(undeclared)) found.add("undeclared", "unknown-value", "use report or refuse");
  if (documentation !== undefined && !/^(?:https:\/\/|\/)[\x21\x23-\x3b\x3d\x3f-\x7e]*$/.test(documentation)) {
    found.add("documentation", "malformed", "give an https URL or an absolute path");
  }
  if (journal !== undefined && typeof journal.record !== "function") {
    found.add("journal", "not-a-journal", "give what openUsageJournal() returns");
  }
  if (metrics !== undefined && typeof metrics.record !== "function") {
    found.add("metrics", "not-metrics", "give what trafficMetrics() returns");
  }
  checkCount(found, "unusedDays", unusedDays, 1, 3660);
  checkCount(found, "maxNames", maxNames, 1, 100_000);
  checkCount(found, "maxUndeclared", maxUndeclared, 1, 100_000);
  if (typeof now !== "function") found.add("now", "not-a-function", "give a function");
  found.throwIfAny("apiInventory()");
  return Object.freeze({
    entries: freezeEntries(entries),
    undeclared,
    unusedDays,
    maxNames,
    maxUndeclared,
    now,
    ...(documentation === undefined ? {} : { documentation }),
    ...(journal === undefined ? {} : { journal }),
    ...(metrics === undefined ? {} : { metrics }),
  });
}
