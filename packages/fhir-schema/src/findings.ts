import { hasError, type SchemaIssue } from "./issues.ts";
import { checkOperationBody } from "./operations/check.ts";
import type { ParsedOptions } from "./options.ts";
import type { FindingKind } from "./problems.ts";
import { isRecord } from "./record.ts";
import type { Named, ResourceLimits } from "./resources/validate.ts";

/** Findings of one kind. */
export interface Finding {
  readonly kind: FindingKind;
  readonly issues: readonly SchemaIssue[];
}

export const NO_FINDINGS: readonly Finding[] = Object.freeze([]);

export function findingOf(kind: FindingKind, issues: readonly SchemaIssue[]): readonly Finding[] {
  return issues.length > 0 ? [{ kind, issues }] : NO_FINDINGS;
}

/** Findings that only tell are no reason to refuse. */
export function refuses(found: readonly Finding[]): boolean {
  return found.some(({ issues }) => hasError(issues));
}

/** With what the URL names, in one piece: V8 does not know an object again that was put together by spreading. */
export function limitsOf(
  { maxIssues, maxDepth, maxArrayLength, exampleFaults }: ParsedOptions,
  type?: string,
  id?: string,
): ResourceLimits & Named {
  return { maxIssues, maxDepth, maxArrayLength, exampleFaults, type, id };
}

export function profileFindings(resource: unknown, { profiles }: ParsedOptions): readonly Finding[] {
  if (profiles === undefined || !isRecord(resource)) return [];
  const { validator, required } = profiles;
  return findingOf("profile", validator.validate(resource, required.get(String(resource["resourceType"])) ?? []));
}

/** Whether a resource is valid is what `$validate` is asked; it may well not be. */
export function operationBodyFindings(
  name: string,
  type: string | undefined,
  body: unknown,
  { extraParameters, maxCount, operations: definitions }: ParsedOptions,
): readonly Finding[] {
  if (name === "validate") return [];
  return findingOf("operation", checkOperationBody({ name, type, extraParameters, maxCount, definitions }, body));
}
