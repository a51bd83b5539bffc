import type { InteractionCode } from "@wardline/policy-types";
import type { SchemaIssue } from "./issues.ts";
import type { FindingKind } from "./problems.ts";

/** What a report mode found: names and places, no value. */
export interface SchemaReport {
  readonly of: "request" | "response";
  readonly kind: FindingKind;
  readonly interaction: InteractionCode;
  /** Resource type of the URL. */
  readonly type?: string;
  readonly requestId: string;
  readonly issues: readonly SchemaIssue[];
}
