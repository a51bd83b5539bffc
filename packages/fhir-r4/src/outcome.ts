import type { IssueType } from "@wardline/policy-types";

/** One issue of an OperationOutcome. */
export interface OutcomeIssue {
  readonly severity: "fatal" | "error" | "warning" | "information";
  readonly code: IssueType;
  /** A sentence for people; nothing from the request. */
  readonly text?: string;
  /** FHIRPath of the offending elements. */
  readonly expression?: readonly string[];
}

/** An OperationOutcome as FHIR writes it. `issue` may not be empty: without issues, `informational` says all is well. */
export interface OperationOutcome {
  readonly resourceType: "OperationOutcome";
  readonly issue: readonly Readonly<Record<string, unknown>>[];
}

const ALL_OK: OutcomeIssue = { severity: "information", code: "processing", text: "All OK" };

/**
 * Writes issues as an OperationOutcome.
 *
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export function operationOutcome(issues: readonly OutcomeIssue[]): OperationOutcome {
  return { resourceType: "OperationOutcome", issue: (issues.length > 0 ? issues : [ALL_OK]).map(renderIssue) };
}

function renderIssue({ severity, code, text, expression = [] }: OutcomeIssue): Readonly<Record<string, unknown>> {
  return {
    severity,
    code,
    ...(text === undefined ? {} : { details: { text } }),
    ...(expression.length === 0 ? {} : { expression: [...expression] }),
  };
}
