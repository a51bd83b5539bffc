import type { TrustZone } from "@wardline/policy-types";
import type { Finding } from "../detectors/detector.ts";
import type { MeasureChange } from "../measures/measure.ts";
import type { Alert } from "./alert.ts";

/** The facts of a security alert, in the shape `auditEvent(…).record("security-alert", facts)` takes. */
export interface SecurityAlertFacts {
  readonly success: boolean;
  /** A fixed sentence. */
  readonly because: string;
  readonly zone?: TrustZone;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** What was seen is a failure of somebody else: recorded as one, so that it is found among failures. */
export function renderAlertFacts(alert: Alert): SecurityAlertFacts {
  const { id, pattern, severity, at, whom, findings, requestId, zone, suppressed } = alert;
  return {
    success: false,
    because: alert.summary,
    ...(zone === undefined ? {} : { zone }),
    details: {
      alert: id,
      pattern,
      severity,
      at: new Date(at).toISOString(),
      [`${whom.kind}-pseudonym`]: whom.pseudonym,
      ...Object.fromEntries(findings.flatMap(renderFinding)),
      "request-id": requestId,
      suppressed,
    },
  };
}

/** Who did what to whom, until when, and why: the audit trail of blocks and their overrides. */
export function renderMeasureFacts({ kind, measure }: MeasureChange): SecurityAlertFacts {
  const { action, whom, until, by, operator, because, alertId } = measure;
  return {
    success: true,
    because: `a measure was ${kind}`,
    details: {
      measure: action,
      change: kind,
      [`${whom.kind}-pseudonym`]: whom.pseudonym,
      until: new Date(until).toISOString(),
      by,
      ...(operator === undefined ? {} : { operator }),
      reason: because,
      ...(alertId === undefined ? {} : { alert: alertId }),
    },
  };
}

function renderFinding({ measure, value, threshold, windowSeconds }: Finding): readonly (readonly [string, number])[] {
  return [
    [measure, value],
    [`${measure}-threshold`, threshold],
    [`${measure}-seconds`, windowSeconds],
  ];
}

/** What is asked of a logger. A `winston` Logger is one. */
export interface AlertLogger {
  log(line: AlertLine): unknown;
}

export interface AlertLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly [field: string]: unknown;
}

export function renderAlertLine(alert: Alert): AlertLine {
  const { severity } = alert;
  const level = severity === "low" ? "info" : severity === "medium" ? "warn" : "error";
  return { level, message: "abuse alert", alert };
}
