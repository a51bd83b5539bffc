import type { AccessRecord, IssueType } from "@wardline/policy-types";
import type { AuditEvent } from "./resource.ts";

/**
 * 0 when the whole answer was a success; else 4 for the caller's fault, 8 for the server's, 12 when something the answer
 * needs is down.
 *
 * @see https://hl7.org/fhir/R4/valueset-audit-event-outcome.html
 */
export function outcomeOf({ status, completed }: AccessRecord): AuditEvent["outcome"] {
  if (status >= 502 && status <= 504) return "12";
  if (status >= 500) return "8";
  return status >= 400 || !completed ? "4" : "0";
}

export const BROKEN_OFF = "the connection ended before the whole answer was sent";

export function describeOutcome({ status, completed, problem }: AccessRecord): string | undefined {
  const refused = problem === undefined ? undefined : `refused with ${status} ${problem}`;
  if (!completed) return [BROKEN_OFF, refused].filter(Boolean).join(", ");
  return refused ?? (status < 400 ? undefined : `the server answered ${status}`);
}

/**
 * The caller is known and was refused what it asked for. 404 counts beside 403, because a refusal may be dressed as
 * absence (A9); a missing token, a full window or a broken body does not.
 */
export function isDeniedUse({ outcome, status, principal }: AccessRecord): boolean {
  return outcome === "deny" && principal !== undefined && (status === 403 || status === 404);
}

/** Nobody could tell who it was: a missing, expired or forged token. */
export function isFailedLogin({ outcome, status }: AccessRecord): boolean {
  return outcome === "deny" && status === 401;
}

/** An emergency was claimed, by the purpose of use BTG, and something was shown for it. */
export function isBreakGlass({ outcome, status, principal }: AccessRecord): boolean {
  return outcome === "permit" && status < 400 && principal?.purposeOfUse.includes("BTG") === true;
}

/** A control that refuses for want of consent says so in its code. */
export function isConsentRefusal({ problem }: AccessRecord): boolean {
  return problem !== undefined && /(?:^|[/-])consent(?:-|$)/.test(problem);
}

/** The refusal as a contained resource, the way R4's own example of a failed event does it. */
export function containedOutcome(id: string, { problem, status }: AccessRecord): object {
  return {
    resourceType: "OperationOutcome",
    id,
    issue: [
      {
        severity: status >= 500 ? "fatal" : "error",
        code: issueOf(status),
        details: { coding: [{ system: "urn:wardline:error-code", code: problem }] },
      },
    ],
  };
}

function issueOf(status: number): IssueType {
  switch (status) {
    case 401:
      return "login";
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 429:
      return "throttled";
    case 503:
      return "transient";
    default:
      return status >= 500 ? "exception" : "processing";
  }
}
