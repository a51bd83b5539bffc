import type { AuditEvent } from "@wardline/audit-event";
import type { AccessRecord, ControlDecision } from "@wardline/policy-types";
import { deliveredOf, interactionOf, outcomeProblemOf, patientsOf, principalOf, resourceOf } from "./event-parts.ts";

/** What one event tells of, before the others of its request. */
export interface Told extends AccessRecord {
  readonly delivered: readonly string[];
  /** `further`: of patients that were not told of before. `instead`: how the answer really ended. */
  readonly followsUp: "further" | "instead" | undefined;
}

/** As records are: of an answer that was about everybody, it is not said again. */
export function finished({ delivered, followsUp: _told, ...record }: Told): AccessRecord {
  return delivered.length === record.patients.length ? record : { ...record, delivered };
}

/** Nothing when it is not about a request. */
export function readEvent(event: AuditEvent): Told | undefined {
  const transaction = event.entity?.find(({ detail }) => detail?.some(({ type }) => type === "method"));
  const requestId = transaction?.what?.identifier?.value;
  if (transaction?.detail === undefined || requestId === undefined) return undefined;
  const details = transaction.detail;
  const detail = (type: string): string | undefined => details.find((one) => one.type === type)?.valueString;
  const again = detail("follows-up");
  const decisions = details
    .filter(({ type }) => type === "decision")
    .flatMap(({ valueString }) => decisionOf(valueString));
  const problem = outcomeProblemOf(event);
  const denied = problem !== undefined || decisions.some(({ kind }) => kind === "deny");
  const address = event.agent[0]?.network?.address;
  const peerAddress = detail("peer-address");
  const received = Date.parse(event.period?.start ?? event.recorded);
  return {
    followsUp: again === undefined ? undefined : again === FURTHER ? "further" : "instead",
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

const FURTHER = "further patients in the answer";
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
