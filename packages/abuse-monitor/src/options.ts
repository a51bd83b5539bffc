import { hash, randomBytes, randomUUID } from "node:crypto";
import { type Findings, findings, refuseUnknownKeys, type SendCommand } from "@wardline/policy-types";
import type { Alert } from "./alerts/alert.ts";
import type { AlertLogger, SecurityAlertFacts } from "./alerts/render.ts";
import type { AlertCarrier } from "./alerts/webhook.ts";
import { DEFAULT_THRESHOLDS, type ThresholdOptions, type Thresholds } from "./detectors/thresholds.ts";
import type { History } from "./history/entry.ts";
import type { MeasureChange } from "./measures/measure.ts";
import type { Protection, Responses } from "./measures/respond.ts";
import {
  checkCounts,
  checkFunctions,
  checkHistory,
  checkResponses,
  checkShared,
  checkStepUp,
} from "./option-checks.ts";
import type { StepUpOptions } from "./problems.ts";
import { readThresholds } from "./threshold-options.ts";
import type { Position } from "./watch/sighting.ts";

/** What decides whether something is told and what is done about it: all that a simulation needs. */
export interface MonitorPolicy {
  /** When each pattern is told. Default those of the README: higher is quieter, and misses more. */
  readonly thresholds?: ThresholdOptions;
  /** What is done about a pattern beside telling it. Default nothing. */
  readonly responses?: Responses;
  /** Traffic whose callers only a human may block or step up. Default zone `device` and API type `prior-authorization`. */
  readonly reserved?: { readonly zones?: readonly string[]; readonly apiTypes?: readonly string[] };
  /** Lets the policy block reserved pools and break-glass users by itself. Default false. */
  readonly dangerouslyBlockProtectedCallers?: boolean;
  /** The same pattern of the same caller is not told again for so long, unless it becomes worse. Default 3600. */
  readonly repeatSeconds?: number;
  /** Callers remembered of each kind; those not seen for longest are forgotten. Default 100000. */
  readonly maxCallers?: number;
  /** Where an address is. Without it there is no impossible travel. */
  readonly locate?: (address: string) => Position | undefined;
  /** Bits of an IPv6 address that name one subscriber, 32 to 128. Default 56. */
  readonly ipv6Prefix?: number;
  /** At least 16 random bytes, the same on all instances. Default random: pseudonyms then last as long as the process. */
  readonly key?: Uint8Array;
}

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

export interface ParsedPolicy {
  readonly thresholds: Thresholds;
  readonly responses: Responses;
  readonly protection: Protection;
  readonly repeatSeconds: number;
  readonly maxCallers: number;
  readonly locate: ((address: string) => Position | undefined) | undefined;
  readonly ipv6Prefix: number;
  /** 16 bytes. */
  readonly key: Uint8Array;
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

const POLICY = [
  "thresholds",
  "responses",
  "reserved",
  "dangerouslyBlockProtectedCallers",
  "repeatSeconds",
  "maxCallers",
  "locate",
  "ipv6Prefix",
  "key",
] as const satisfies readonly (keyof MonitorPolicy)[];
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

/** For a simulation, which tells nobody and blocks nobody. */
export function parsePolicy(policy: MonitorPolicy): ParsedPolicy {
  const found = findings();
  refuseUnknownKeys(found, policy, POLICY);
  const parsed = readPolicy(found, policy);
  found.throwIfAny("abuse-monitor policy");
  return parsed;
}

function readPolicy(found: Findings, policy: MonitorPolicy): ParsedPolicy {
  const { key, ipv6Prefix, reserved = {} } = policy;
  const thresholds = readThresholds(found, policy.thresholds ?? {}, DEFAULT_THRESHOLDS);
  checkResponses(found, policy.responses ?? {});
  checkCounts(found, policy, ["repeatSeconds", "maxCallers"]);
  checkFunctions(found, policy, ["locate"]);
  refuseUnknownKeys(found, reserved, ["zones", "apiTypes"], "reserved");
  if (ipv6Prefix !== undefined && !(Number.isInteger(ipv6Prefix) && ipv6Prefix >= 32 && ipv6Prefix <= 128)) {
    found.add("ipv6Prefix", "out-of-range", "write a whole number from 32 to 128");
  }
  if (key !== undefined && !(key instanceof Uint8Array && key.length >= 16)) {
    found.add("key", "too-short", "give at least 16 random bytes");
  }
  return {
    thresholds,
    responses: Object.freeze({ ...policy.responses }),
    protection: Object.freeze({
      zones: reserved.zones ?? ["device"],
      apiTypes: reserved.apiTypes ?? ["prior-authorization"],
      lifted: policy.dangerouslyBlockProtectedCallers === true,
    }),
    repeatSeconds: policy.repeatSeconds ?? 3600,
    maxCallers: policy.maxCallers ?? 100_000,
    locate: policy.locate,
    ipv6Prefix: ipv6Prefix ?? 56,
    key: key === undefined ? randomBytes(16) : shortened(key),
  };
}

function shortened(key: Uint8Array): Uint8Array {
  return hash("sha256", key, "buffer").subarray(0, 16);
}
