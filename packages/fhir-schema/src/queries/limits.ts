import type { IssueType } from "@wardline/policy-types";
import type { SchemaIssue } from "../issues.ts";
import { hasControlCharacter } from "./text.ts";

/** How much a search may ask. */
export interface QueryLimits {
  /** Largest `_count`. */
  readonly maxCount: number;
  /** `_include` and `_revinclude` together. */
  readonly maxIncludes: number;
  /** Steps of one chain or `_has`. */
  readonly maxChain: number;
  /** Parameters of one search, repeats counted. */
  readonly maxParameters: number;
  /** Values of one parameter, of which any may match. */
  readonly maxValues: number;
  /** Findings told. */
  readonly maxIssues: number;
  /** Parameters beyond R4 that pass: names without modifier. */
  readonly extraParameters: ReadonlySet<string>;
}

/** `name` is one that R4 defines: never what the client typed otherwise. */
export function queryIssue(
  issue: IssueType,
  detail: string,
  name?: string,
  outcomeCode: string | undefined = OUTCOME_CODES[issue],
): SchemaIssue {
  return {
    severity: "error",
    issue,
    detail,
    ...(name === undefined ? {} : { expression: name }),
    ...(outcomeCode === undefined ? {} : { outcomeCode }),
  };
}

const OUTCOME_CODES: Partial<Record<IssueType, string>> = {
  value: "MSG_PARAM_INVALID",
  invalid: "MSG_PARAM_MODIFIER_INVALID",
  "not-supported": "MSG_PARAM_UNKNOWN",
};

/** All that can be said of a parameter that only its server knows. */
export function extraFault(value: string): string | undefined {
  return hasControlCharacter(value) ? "A value holds a control character." : undefined;
}
