import type { SchemaIssue } from "./issues.ts";
import { checkOperationBody } from "./operations/check.ts";
import type { ParsedOptions } from "./options.ts";
import type { FindingKind } from "./problems.ts";
import { isRecord } from "./record.ts";
import type { validateResource } from "./resources/validate.ts";

/** Findings of one kind. */
export interface Finding {
  readonly kind: FindingKind;
  readonly issues: readonly SchemaIssue[];
}

export function findingOf(kind: FindingKind, issues: readonly SchemaIssue[]): readonly Finding[] {
  return issues.length > 0 ? [{ kind, issues }] : [];
}

type ResourceLimits = NonNullable<Parameters<typeof validateResource>[1]>;

export function limitsOf({ maxIssues, maxDepth, maxArrayLength }: ParsedOptions): ResourceLimits {
  return { maxIssues, maxDepth, maxArrayLength };
}

/** Notes (must-support, claims nobody knows) are no reason to refuse. */
export function profileFindings(resource: unknown, { profiles }: ParsedOptions): readonly Finding[] {
  if (profiles === undefined || !isRecord(resource)) return [];
  const { validator, required } = profiles;
  const issues = validator.validate(resource, required.get(String(resource["resourceType"])) ?? []);
  return issues.some(({ severity }) => severity === "error") ? [{ kind: "profile", issues }] : [];
}

/** Whether a resource is valid is what `$validate` is asked; it may well not be. */
export function operationBodyFindings(
  name: string,
  type: string | undefined,
  body: unknown,
  { extraParameters, maxCount }: ParsedOptions,
): readonly Finding[] {
  if (name === "validate") return [];
  return findingOf("operation", checkOperationBody({ name, type, extraParameters, maxCount }, body));
}
