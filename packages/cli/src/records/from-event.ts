import type { AuditEvent, LedgerEntry } from "@wardline/audit-event";
import type { AccessRecord, ControlDecision } from "@wardline/policy-types";
import { deliveredOf, interactionOf, outcomeProblemOf, patientsOf, principalOf, resourceOf } from "./event-parts.ts";

/**
 * Reads back the access records a log was written from: the events of one request follow each other and become one record
 * again. Entries that are no request (starts, policy changes, alerts) are passed over. Where the log holds hashes, hashes
 * stand for the names, which counts the same.
 *
 * Does NOT give what a log does not hold: roles of the caller beyond their text, and values of parameters.
 */
export async function* recordsOf(entries: AsyncIterable<LedgerEntry>): AsyncGenerator<AccessRecord, void> {
  let record: Open | undefined;
  for await (const { event } of entries) {
    const next = readEvent(event as AuditEvent);
    if (next === undefined) continue;
    if (record !== undefined && isSameRequest(record, next)) {
      record = {
        ...record,
        patients: union(record.patients, next.patients),
        delivered: union(record.delivered, next.delivered),
      };
      continue;
    }
    if (record !== undefined) yield finished(record);
    record = next;
  }
  if (record !== undefined) yield finished(record);
}

/** What one event tells of, before the others of its request. */
interface Open extends AccessRecord {
  readonly delivered: readonly string[];
  /** It adds patients to what was told before. */
  readonly followsUp: boolean;
}

/**
 * A client may give all its requests one id: they differ in when they came and how long they took. What follows up has taken
 * longer.
 */
function isSameRequest(before: Open, next: Open): boolean {
  const sameTime = before.receivedAt === next.receivedAt && (next.followsUp || before.latencyMs === next.latencyMs);
  return before.requestId === next.requestId && sameTime;
}

const union = (some: readonly string[], more: readonly string[]): readonly string[] => [...new Set([...some, ...more])];

/** As records are: of an answer that was about everybody, it is not said again. */
function finished({ delivered, followsUp: _told, ...record }: Open): AccessRecord {
  return delivered.length === record.patients.length ? record : { ...record, delivered };
}

/** The record one event tells of; nothing when it is not about a request. */
export function recordOf(event: AuditEvent): AccessRecord | undefined {
  const record = readEvent(event);
  return record === undefined ? undefined : finished(record);
}

function readEvent(event: AuditEvent): Open | undefined {
  const transaction = event.entity?.find(({ detail }) => detail?.some(({ type }) => type === "method"));
  const requestId = transaction?.what?.identifier?.value;
  if (transaction?.detail === undefined || requestId === undefined) return undefined;
  const details = transaction.detail;
  const detail = (type: string): string | undefined => details.find((one) => one.type === type)?.valueString;
  // The other follow-ups tell again what was told; this one tells of patients that were not.
  const again = detail("follows-up");
  if (again !== undefined && again !== "further patients in the answer") return undefined;
  const decisions = details
    .filter(({ type }) => type === "decision")
    .flatMap(({ valueString }) => decisionOf(valueString));
  const problem = outcomeProblemOf(event);
  const denied = problem !== undefined || decisions.some(({ kind }) => kind === "deny");
  const address = event.agent[0]?.network?.address;
  const peerAddress = detail("peer-address");
  const received = Date.parse(event.period?.start ?? event.recorded);
  return {
    followsUp: again !== undefined,
    requestId,
    receivedAt: received,
    latencyMs: Number(detail("latency-ms") ?? 0),
    ...optional("zone", detail("zone") as AccessRecord["zone"]),
    ...optional("apiType", detail("api-type")),
    ...optional("routeId", detail("route")),
    ...optional("policyVersion", detail("policy-version")),
    method: detail("method") ?? "GET",
    interaction: interactionOf(event),
    ...optional("operation", detail("operation")),
    ...resourceOf(event),
    parameters: words(detail("parameters"), "&"),
    patients: patientsOf(event),
    delivered: deliveredOf(event),
    ...optional("principal", principalOf(event, words(detail("scopes"), " "))),
    // Where a proxy reported the caller, the event's network is what it reported.
    ...(peerAddress === undefined
      ? optional("peerAddress", address)
      : { peerAddress, ...optional("forwardedAddress", address) }),
    decisions,
    outcome: denied ? "deny" : "permit",
    ...optional("problem", problem),
    status: Number(detail("status") ?? 0),
    completed: event.outcomeDesc?.startsWith("the connection ended") !== true,
    requestBytes: Number(detail("request-bytes") ?? 0),
    ...optional("responseBytes", numberOf(detail("response-bytes"))),
    ...optional("upstream", detail("upstream")),
  };
}

const DECISION = /^(\S+) (permit|deny)(?: ([^\s:/]+\/[^\s:]+))?: (.*)$/s;

function decisionOf(text: string): ControlDecision[] {
  const [, control, kind, code, why = ""] = DECISION.exec(text) ?? [];
  if (control === undefined || (kind !== "permit" && kind !== "deny")) return [];
  return [{ control, kind, because: words(why, "; "), ...optional("code", code) }];
}

function words(text: string | undefined, separator: string): string[] {
  return text === undefined || text === "" ? [] : text.split(separator);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]: Value });
}
