import type { InteractionCode } from "@wardline/policy-types";
import type { SchemaIssue } from "./issues.ts";
import type { FindingKind } from "./problems.ts";

/**
 * What was found and not refused: by a report mode, or, when no issue is an error, in any mode. Names and places, no value.
 */
export interface SchemaReport {
  readonly of: "request" | "response";
  readonly kind: FindingKind;
  readonly interaction: InteractionCode;
  /** Resource type of the URL. */
  readonly type?: string;
  readonly requestId: string;
  readonly issues: readonly SchemaIssue[];
}
