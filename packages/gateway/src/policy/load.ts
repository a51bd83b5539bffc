import { readFile } from "node:fs/promises";
import { ConfigurationError, findings, type PolicyDocument } from "@wardline/policy-types";
import { parse } from "yaml";
import { policyHash } from "./hash.ts";
import { checkRules } from "./rules.ts";
import { checkShape } from "./schema.ts";

/** A policy that passed every check, with the hash that names it in logs and audit records. */
export interface CheckedPolicy {
  readonly policy: PolicyDocument;
  /** SHA-256 of the content, hexadecimal. */
  readonly version: string;
}

/** Checks a policy given as a value. Throws a `ConfigurationError` with every finding. */
export function checkPolicy(value: unknown): CheckedPolicy {
  const found = findings();
  checkShape(value, found);
  found.throwIfAny("the policy");
  const policy = structuredClone(value) as PolicyDocument;
  checkRules(policy, found);
  found.throwIfAny("the policy");
  return { policy, version: policyHash(policy) };
}

/** Reads a YAML or JSON file. Throws a `ConfigurationError` when it cannot be read, parsed or accepted. */
export async function loadPolicy(file: string): Promise<CheckedPolicy> {
  let value: unknown;
  try {
    value = parse(await readFile(file, "utf8"), { uniqueKeys: true, maxAliasCount: 100 });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "cannot be read";
    throw new ConfigurationError("the policy file", [{ path: file, code: "unreadable", message }]);
  }
  return checkPolicy(value);
}
