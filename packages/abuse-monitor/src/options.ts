import { randomUUID } from "node:crypto";
import { findings, refuseUnknownKeys, type SendCommand } from "@wardline/policy-types";
import type { Alert } from "./alerts/alert.ts";
import type { AlertLogger, SecurityAlertFacts } from "./alerts/render.ts";
import type { AlertCarrier } from "./alerts/webhook.ts";
import type { History } from "./history/entry.ts";
import type { MeasureChange } from "./measures/measure.ts";
import { checkCounts, checkFunctions, checkHistory, checkShared, checkStepUp, checkTold } from "./option-checks.ts";
import { type MonitorPolicy, type ParsedPolicy, POLICY, readPolicy } from "./policy-options.ts";
import type { StepUpOptions } from "./problems.ts";

export interface SharedOptions {
  /** One Redis command, with the client of your choice. */
  readonly sendCommand: SendCommand;
  /** Keeps several edges in one Redis apart. Default `wardline:abuse`. */
  readonly prefix?: string;
  /** Longest wait for one command, in milliseconds. Default 500. No request waits for it. */
  readonly deadlineMs?: number;
  /** Between two exchanges, in milliseconds. Default 250. */
  readonly intervalMs?: number;
  /** Pause after a failure, in milliseconds. Default 2000. */
  readonly retryMs?: number;
  /** Sightings waiting to be sent. Default 20000. */
  readonly maxQueue?: number;
}

export interface HistoryOptions {
  /** Of this process alone, in a folder that is there. */
  readonly file: string;
  /** Between two writings, in seconds. Default 60: what a crash can lose. */
  readonly intervalSeconds?: number;
  /** Callers not seen for longest are left out beyond it. Default 256 MiB. */
  readonly maxBytes?: number;
}

/** Something that should be there is not, or is again. */
export interface MonitorDegradation {
  readonly kind: "degraded" | "recovered";
  readonly code:
    | "abuse-monitor/store-down"
    | "abuse-monitor/record-failed"
    | "abuse-monitor/audit-failed"
    | "abuse-monitor/history-not-read"
    | "abuse-monitor/history-not-written";
}

export interface AbuseMonitorOptions extends MonitorPolicy {
  /** What a step-up asks for. */
  readonly stepUp?: StepUpOptions;
  /** How long an operator's override keeps the policy from doing it again, in seconds. Default 3600. */
  readonly overrideSeconds?: number;
  /** Measures remembered. Default 10000. */
  readonly maxMeasures?: number;
  /** Shares sightings and measures with other instances. Default this process alone. */
  readonly shared?: SharedOptions;
  /** Keeps what was seen and done over a restart. Needs `key`. Default memory alone. */
  readonly history?: HistoryOptions;
  /** What the monitor before this one knew, instead of the file: its `handOver()`. Needs the same `key`. */
  readonly remembered?: History;
  /** Records alerts and measures: `(kind, facts) => audit.record(kind, facts)` of audit-event. */
  readonly audit?: (kind: "security-alert", facts: SecurityAlertFacts) => Promise<void> | void;
  /** Told of alerts and measures besides: anything with `warn`, such as winston. Default none. */
  readonly logger?: AlertLogger;
  /** Where alerts go besides: `alertWebhook(…)`. */
  readonly carriers?: readonly AlertCarrier[];
  /** Told of every alert, once. */
  readonly onAlert?: (alert: Alert) => void;
  /** Told when a measure begins, changes or ends. */
  readonly onMeasure?: (change: MeasureChange) => void;
  /** F12: told when something the monitor stands on fails, and when it is well again. */
  readonly onDegraded?: (change: MonitorDegradation) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface ParsedOptions extends ParsedPolicy {
  readonly stepUp: StepUpOptions;
  readonly overrideSeconds: number;
  readonly maxMeasures: number;
  readonly shared: (Required<SharedOptions> & { readonly instance: string }) | undefined;
  readonly history: Required<HistoryOptions> | undefined;
  readonly remembered: History | undefined;
  readonly audit: NonNullable<AbuseMonitorOptions["audit"]> | undefined;
  readonly logger: AlertLogger | undefined;
  readonly carriers: readonly AlertCarrier[];
  readonly onAlert: (alert: Alert) => void;
  readonly onMeasure: (change: MeasureChange) => void;
  readonly onDegraded: (change: MonitorDegradation) => void;
  readonly now: () => number;
}

const ALL = [
  ...POLICY,
  "stepUp",
  "overrideSeconds",
  "maxMeasures",
  "shared",
  "history",
  "remembered",
  "audit",
  "logger",
  "carriers",
  "onAlert",
  "onMeasure",
  "onDegraded",
  "now",
] as const satisfies readonly (keyof AbuseMonitorOptions)[];

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseOptions(options: AbuseMonitorOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, ALL);
  const policy = readPolicy(found, options);
  checkCounts(found, options, ["overrideSeconds", "maxMeasures"]);
  checkFunctions(found, options, ["audit", "onAlert", "onMeasure", "onDegraded", "now"]);
  checkTold(found, options);
  checkStepUp(found, options.stepUp);
  checkShared(found, options.shared, options.key !== undefined);
  checkHistory(found, options.history, options.key !== undefined);
  found.throwIfAny("abuseMonitor options");
  const { shared } = options;
  return Object.freeze({
    ...policy,
    stepUp: Object.freeze({ ...options.stepUp }),
    overrideSeconds: options.overrideSeconds ?? 3600,
    maxMeasures: options.maxMeasures ?? 10_000,
    shared:
      shared === undefined
        ? undefined
        : {
            sendCommand: shared.sendCommand,
            prefix: shared.prefix ?? "wardline:abuse",
            deadlineMs: shared.deadlineMs ?? 500,
            intervalMs: shared.intervalMs ?? 250,
            retryMs: shared.retryMs ?? 2000,
            maxQueue: shared.maxQueue ?? 20_000,
            instance: randomUUID(),
          },
    history:
      options.history === undefined
        ? undefined
        : {
            file: options.history.file,
            intervalSeconds: options.history.intervalSeconds ?? 60,
            maxBytes: options.history.maxBytes ?? 256 * 1024 * 1024,
          },
    remembered: options.remembered,
    audit: options.audit,
    logger: options.logger,
    carriers: Object.freeze([...(options.carriers ?? [])]),
    onAlert: options.onAlert ?? (() => undefined),
    onMeasure: options.onMeasure ?? (() => undefined),
    onDegraded: options.onDegraded ?? (() => undefined),
    now: options.now ?? Date.now,
  });
}
