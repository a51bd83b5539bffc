export { cmsCsv } from "./cms/csv.ts";
export type {
  JournalEntry,
  PriorAuthDecision,
  PriorAuthEntry,
  SightingEntry,
  TrafficEntry,
  TransferEntry,
} from "./cms/journal-entry.ts";
export type { CmsReportOptions } from "./cms/options.ts";
export type { MoreThanOnce, PatientCounts } from "./cms/patients.ts";
export type { PriorAuthFigures, PriorAuthKindFigures } from "./cms/prior-auth-figures.ts";
export { type CmsReport, type CmsYear, cmsReport, type UsageSource } from "./cms/report.ts";
export type { TrafficFigures } from "./cms/traffic.ts";
export { HTTP_METHODS, type HttpMethod, type InventoryEntry } from "./entry.ts";
export { entriesFromPolicy, type RegisteredRoutes } from "./from-policy.ts";
export { INVENTORY_FINDING_CODES, type InventoryFinding, type InventoryFindingCode } from "./observe/findings.ts";
export { type InventoryReportOptions, inventoryReport } from "./observe/replay.ts";
export type { EntryReport, InventoryReport, UseReport } from "./observe/report.ts";
export type { LifeState } from "./observe/state.ts";
export { entryIssues } from "./registry.ts";
