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
export { type ApiDocumentsOptions, type ApiInventory, apiDocuments, apiInventory, observePas } from "./express.ts";
export { entriesFromPolicy, type RegisteredRoutes } from "./from-policy.ts";
export { type MountedRoute, mountedRoutes } from "./introspect.ts";
export { openUsageJournal, type PriorAuthEvent, type UsageJournal } from "./journal/journal.ts";
export type { JournalDegradation, UsageJournalOptions } from "./journal/options.ts";
export { type ReadJournalOptions, readJournal } from "./journal/read.ts";
export {
  type MetricRegistry,
  type TrafficMetrics,
  type TrafficMetricsOptions,
  trafficMetrics,
} from "./metrics/traffic-metrics.ts";
export { INVENTORY_FINDING_CODES, type InventoryFinding, type InventoryFindingCode } from "./observe/findings.ts";
export { type InventoryReportOptions, inventoryReport } from "./observe/replay.ts";
export type { EntryReport, InventoryReport, UseReport } from "./observe/report.ts";
export type { LifeState } from "./observe/state.ts";
export { type CapabilityRest, capabilityRest, smartScopes } from "./openapi/capability.ts";
export { type OpenApiDocument, type OperationObject, openApiDocument } from "./openapi/document.ts";
export type { OpenApiOptions } from "./openapi/options.ts";
export { apiPage, PAGE_CSP } from "./openapi/page.ts";
export type { ApiInventoryOptions } from "./options.ts";
export type { ObservePasOptions } from "./pas/options.ts";
export { entryIssues } from "./registry.ts";
