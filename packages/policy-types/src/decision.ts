/**
 * The issue types of R4 that a refusal can carry.
 *
 * @see https://hl7.org/fhir/R4/valueset-issue-type.html
 */
export type IssueType =
  | "invalid"
  | "structure"
  | "required"
  | "value"
  | "invariant"
  | "security"
  | "login"
  | "unknown"
  | "expired"
  | "forbidden"
  | "suppressed"
  | "processing"
  | "not-supported"
  | "duplicate"
  | "multiple-matches"
  | "not-found"
  | "deleted"
  | "too-long"
  | "code-invalid"
  | "extension"
  | "too-costly"
  | "business-rule"
  | "conflict"
  | "transient"
  | "lock-error"
  | "no-store"
  | "exception"
  | "timeout"
  | "incomplete"
  | "throttled";

/**
 * A refusal as the client sees it. `sendProblem` renders it as an OperationOutcome on FHIR routes, as an error of RFC 6749 at
 * endpoints of OAuth, and as `application/problem+json` elsewhere. Plain data: never thrown, never built from the request.
 */
export interface Problem {
  /** Stable, and a heading in docs/error-codes.md: `smart-auth/scope-insufficient`. */
  readonly code: string;
  /** HTTP status, 400 to 599. */
  readonly status: number;
  readonly issue: IssueType;
  /** A fixed sentence: no token, no id, nothing from the request or the answer. */
  readonly detail: string;
  /** Error of RFC 6749 at an endpoint of OAuth. Absent: by the status. */
  readonly oauthError?: string;
  /** FHIRPath of the offending elements, by name only. */
  readonly expression?: readonly string[];
  /** Code of HL7's own list for outcomes, beside ours: `MSG_BAD_FORMAT`. */
  readonly outcomeCode?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Several findings under one refusal: rendered in place of `issue`, `detail` and `expression`. */
  readonly issues?: readonly ProblemIssue[];
}

/** One of several findings. The same manners as `Problem.detail`: fixed words, element names, no value of the request. */
export interface ProblemIssue {
  readonly severity: "error" | "warning" | "information";
  readonly issue: IssueType;
  readonly detail: string;
  /** FHIRPath of the offending element: `Patient.name[0].given`. */
  readonly expression?: string;
  /** Code of HL7's own list for outcomes, beside ours: `MSG_PARAM_UNKNOWN`. */
  readonly outcomeCode?: string;
}

/** Why a decision fell as it did, for operators and the audit log: rule and scope names, never a value of the request. */
export type Reasons = readonly string[];

export interface Permit<Value> {
  readonly kind: "permit";
  readonly grant: Value;
  readonly because: Reasons;
}

export interface Deny {
  readonly kind: "deny";
  readonly problem: Problem;
  readonly because: Reasons;
}

/** What every control decides: one of two shapes, each with its reasons. */
export type Decision<Value> = Permit<Value> | Deny;

export function permit<Value>(grant: Value, because: Reasons): Permit<Value> {
  return { kind: "permit", grant, because };
}

export function deny(problem: Problem, because: Reasons): Deny {
  return { kind: "deny", problem, because };
}
