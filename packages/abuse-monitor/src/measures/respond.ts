import type { Alert } from "../alerts/alert.ts";
import { type Pattern, SEVERITIES, type Severity } from "../detectors/detector.ts";
import type { Sighting } from "../watch/sighting.ts";
import type { Action, Measure } from "./measure.ts";

/** What the policy does about a pattern, beside telling it. */
export interface Response {
  readonly action: "tell" | Action;
  /** How long, in seconds. Default 900. */
  readonly seconds?: number;
  /** What one request counts at the throttle, for `slow-down`. Default 10. */
  readonly cost?: number;
  /** Alerts that are less severe are only told. Default `low`. */
  readonly from?: Severity;
}

export type Responses = Readonly<Partial<Record<Pattern, Response>>>;

/** What may not be taken from anybody without a human. */
export interface Protection {
  readonly zones: readonly string[];
  readonly apiTypes: readonly string[];
  /** The policy may block and step up protected callers by itself. */
  readonly lifted: boolean;
}

export const DEFAULT_SECONDS = 900;
export const DEFAULT_COST = 10;

/** True for traffic of a reserved pool and for a break-glass user. */
export function isProtected(
  { zone, apiType, breakGlass }: Pick<Sighting, "zone" | "apiType" | "breakGlass">,
  protection: Protection,
): boolean {
  if (protection.lifted) return false;
  if (breakGlass) return true;
  return (
    (zone !== undefined && protection.zones.includes(zone)) ||
    (apiType !== undefined && protection.apiTypes.includes(apiType))
  );
}

/**
 * The measure an alert calls for. Slowing down is imposed on anybody; what keeps a caller out is only proposed when the
 * caller is protected, and a step-up is proposed for a system, which cannot log in again.
 */
export function measureFor(
  alert: Alert,
  sighting: Sighting,
  responses: Responses,
  protection: Protection,
): Measure | undefined {
  const response = responses[alert.pattern];
  if (response === undefined || response.action === "tell") return undefined;
  if (isClaimed(alert)) return undefined;
  if (SEVERITIES.indexOf(alert.severity) < SEVERITIES.indexOf(response.from ?? "low")) return undefined;
  const { action, seconds = DEFAULT_SECONDS, cost = DEFAULT_COST } = response;
  const keepsOut = action !== "slow-down" && isProtected(sighting, protection);
  const cannot = action === "step-up" && sighting.system;
  return {
    action,
    whom: alert.whom,
    state: keepsOut || cannot ? "proposed" : "active",
    ...(action === "slow-down" ? { cost } : {}),
    since: alert.at,
    until: alert.at + seconds * 1000,
    changedAt: alert.at,
    by: "policy",
    because: alert.pattern,
    alertId: alert.id,
  };
}

/**
 * A name that somebody tried in vain is the victim's: locking it out would be the attacker's success. So is the client's in
 * a login that failed: it says who asks before anybody has proved it.
 */
function isClaimed({ pattern, whom }: Alert): boolean {
  return whom.kind === "claimed" || (whom.kind === "client" && pattern === "credential-stuffing");
}

/** What the policy may not do to what an operator decided: an override stands until it runs out. */
export function mayReplace(before: Measure | undefined): boolean {
  return before === undefined || before.by === "policy";
}
