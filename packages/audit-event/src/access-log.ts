import type { AccessRecord } from "@wardline/policy-types";

/** One line of the operational log: how a request went, not whom it was about. */
export interface AccessLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly [field: string]: string | number | boolean;
}

/** What this package asks of a logger. A `winston` Logger is one, with whatever formats and transports it has. */
export interface OperationalLogger {
  log(line: AccessLine): unknown;
}

/**
 * The operational line of a finished request (S14): the fields named here and no others, control characters escaped,
 * every text cut at 256 characters.
 *
 * Holds no patient, no resource id, no subject, no address, no parameter and no reason: those are for the audit trail,
 * and a log line outlives the patient's consent (A14).
 */
export function renderAccessLine(record: AccessRecord): AccessLine {
  const fields: Record<string, string | number | boolean | undefined> = {
    requestId: record.requestId,
    correlationId: record.correlationId,
    traceparent: record.traceparent,
    receivedAt: new Date(record.receivedAt).toISOString(),
    latencyMs: Math.round(record.latencyMs * 1000) / 1000,
    zone: record.zone,
    apiType: record.apiType,
    routeId: record.routeId,
    policyVersion: record.policyVersion,
    method: record.method,
    interaction: record.interaction,
    resourceType: record.resourceType,
    clientId: record.principal?.clientId,
    outcome: record.outcome,
    problem: record.problem,
    status: record.status,
    completed: record.completed,
    requestBytes: record.requestBytes,
    responseBytes: record.responseBytes,
    upstream: record.upstream,
  };
  const line: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) line[name] = typeof value === "string" ? plainText(value) : value;
  }
  return { level: levelOf(record), message: "request answered", ...line };
}

/** Gives the line to the logger. A logger that throws costs its line, not the request. */
export function logAccess(logger: OperationalLogger, record: AccessRecord): void {
  try {
    logger.log(renderAccessLine(record));
  } catch {
    // The audit trail has the access; the operational log is the lesser record and may have a gap.
  }
}

function levelOf({ status, outcome }: AccessRecord): AccessLine["level"] {
  if (status >= 500) return "error";
  return outcome === "deny" ? "warn" : "info";
}

/** Escaped here, because not every format a logger may have escapes them: controls, line separators, direction marks. */
function plainText(value: string): string {
  return value.slice(0, LONGEST_TEXT).replace(UNPRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

const LONGEST_TEXT = 256;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
