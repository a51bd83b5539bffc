import type { ProblemIssue } from "@wardline/policy-types";

/**
 * One finding: fixed words and element names, no value of what was checked (S15). `expression` is a FHIRPath of names and
 * indexes: `Patient.name[0].given[1]`; for a query it is the parameter's name.
 */
export type SchemaIssue = ProblemIssue;

/** A reason to refuse; warnings and notes are told beside it. */
export function isError({ severity }: SchemaIssue): boolean {
  return severity === "error";
}

export function hasError(issues: readonly SchemaIssue[]): boolean {
  return issues.some(isError);
}

/** What refuses is told before what is told beside it. */
export function errorsFirst(issues: readonly SchemaIssue[]): readonly SchemaIssue[] {
  return [...issues.filter(isError), ...issues.filter((issue) => !isError(issue))];
}
