export type { Alert } from "./alerts/alert.ts";
export {
  type AlertLine,
  type AlertLogger,
  renderAlertFacts,
  renderAlertLine,
  renderMeasureFacts,
  type SecurityAlertFacts,
} from "./alerts/render.ts";
export type { Whom } from "./alerts/told.ts";
export { type AlertCarrier, type AlertWebhookOptions, alertWebhook } from "./alerts/webhook.ts";
export { type Finding, PATTERNS, type Pattern, SEVERITIES, type Severity } from "./detectors/detector.ts";
export { DEFAULT_THRESHOLDS, type ThresholdOptions, type Thresholds } from "./detectors/thresholds.ts";
export { type AbuseMonitorHandler, abuseMonitor, type Named } from "./express.ts";
export type { History, HistoryEntry, HistoryHead } from "./history/entry.ts";
export type { Action, Measure, MeasureChange } from "./measures/measure.ts";
export type { ImposeOptions, Measures, OperatorNote } from "./measures/operate.ts";
export type { Response, Responses } from "./measures/respond.ts";
export type { MonitorSnapshot } from "./monitor.ts";
export type {
  AbuseMonitorOptions,
  HistoryOptions,
  MonitorDegradation,
  SharedOptions,
} from "./options.ts";
export type { MonitorPolicy } from "./policy-options.ts";
export type { StepUpOptions } from "./problems.ts";
export { type SimulationReport, simulate } from "./simulate.ts";
export type { LoginAttempt } from "./watch/login.ts";
export { readPlaces } from "./watch/places.ts";
export type { CallerKind } from "./watch/pseudonym.ts";
export type { Position } from "./watch/sighting.ts";
