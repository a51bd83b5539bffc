import { readFile } from "node:fs/promises";
import { DependencyError } from "@wardline/policy-types";

/**
 * A secret as a policy names it: `env:NAME`, `file:/path`, or `provider:name` for the hook given to the gateway. Never the
 * secret itself.
 */
export type SecretReference = string;

/** Finds a secret by name in whatever store the operator has. */
export type SecretProvider = (name: string) => Promise<string>;

const REFERENCE = /^(env|file|provider):(.+)$/s;

/** Fetches a secret when it is needed. Rejects with a `DependencyError` that names the reference and never the value. */
export async function readSecret(
  reference: SecretReference,
  { environment, provider }: { readonly environment: NodeJS.ProcessEnv; readonly provider?: SecretProvider },
): Promise<string> {
  const [, kind, name = ""] = REFERENCE.exec(reference) ?? [];
  try {
    const value =
      kind === "env" ? environment[name] : kind === "file" ? await readFile(name, "utf8") : await provider?.(name);
    const secret = value?.replace(/\r?\n$/, "") ?? "";
    if (secret !== "") return secret;
  } catch (cause) {
    throw unavailable(kind === undefined ? "a secret" : reference, cause);
  }
  throw unavailable(kind === undefined ? "a secret" : reference, undefined);
}

function unavailable(reference: string, cause: unknown): DependencyError {
  return new DependencyError("gateway/secret-unavailable", `the secret ${reference} is missing or empty`, {
    cause,
    retryable: true,
  });
}
