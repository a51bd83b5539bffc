import { DependencyError } from "@wardline/policy-types";
import type { ReadSecret } from "./read.ts";

const CODE = "gateway/secret-unavailable";
const REFERENCE = /^(?:env|file|provider):./s;

export function isSecretMissing(error: unknown): error is DependencyError {
  return error instanceof DependencyError && error.code === CODE;
}

/**
 * The same refusal for all secrets of a policy that cannot be had: whoever sets them one after the other starts as often.
 * Asked only once one is missing, so that a text which merely looks like a reference keeps nobody from starting.
 */
export async function allMissing(
  policy: object,
  readSecret: ReadSecret,
  first: DependencyError,
): Promise<DependencyError> {
  const missing: string[] = [];
  for (const reference of new Set(referencesIn(policy))) {
    await readSecret(reference).catch(() => missing.push(reference));
  }
  if (missing.length < 2) return first;
  return new DependencyError(CODE, `the secrets ${missing.join(", ")} are missing or empty`, {
    cause: first,
    retryable: true,
  });
}

function referencesIn(value: unknown): readonly string[] {
  if (typeof value === "string") return REFERENCE.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}
