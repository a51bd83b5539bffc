import type { ProblemIssue } from "@wardline/policy-types";

/**
 * One finding: fixed words and element names, no value of what was checked (S15). `expression` is a FHIRPath of names and
 * indexes: `Patient.name[0].given[1]`; for a query it is the parameter's name.
 */
export type SchemaIssue = ProblemIssue;
