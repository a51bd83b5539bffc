import { readFile } from "node:fs/promises";
import {
  ConfigurationError,
  type Findings,
  findings,
  type PolicyDocument,
  type PolicySource,
} from "@wardline/policy-types";
import { completePolicy } from "./complete.ts";
import { policyHash } from "./hash.ts";
import { type Located, parseLocated } from "./lines.ts";
import { checkRules } from "./rules.ts";
import { checkShape } from "./schema.ts";

/** A policy that passed every check, with the hash that names it in logs and audit records. */
export interface CheckedPolicy {
  /** Every default filled in. */
  readonly policy: PolicyDocument;
  /** As it was written: what the version and the signature speak of. */
  readonly source: PolicySource;
  /** SHA-256 of the source's content, hexadecimal. */
  readonly version: string;
}

/** Checks a policy given as a value. Throws a `ConfigurationError` with every finding. */
export function checkPolicy(value: unknown): CheckedPolicy {
  return check(value, findings(), "the policy");
}

/** Reads a YAML or JSON file. Throws a `ConfigurationError` when it cannot be read, parsed or accepted. */
export async function loadPolicy(file: string): Promise<CheckedPolicy> {
  return parsePolicy(await readText(file), file);
}

/** Checks the text of a YAML or JSON policy; findings carry the line. `name` is what they call it. */
export function parsePolicy(text: string, name = "the policy"): CheckedPolicy {
  const located = parseLocated(text, name);
  return check(located.value, locating(findings(), located), name);
}

function check(value: unknown, found: Findings, name: string): CheckedPolicy {
  checkShape(value, found);
  found.throwIfAny(name);
  const source = structuredClone(value) as PolicySource;
  const policy = completePolicy(source, found);
  checkRules(policy, found);
  found.throwIfAny(name);
  return Object.freeze({ policy: deepFreeze(policy), source: deepFreeze(source), version: policyHash(source) });
}

function locating(found: Findings, { lineOf }: Located): Findings {
  return {
    ...found,
    throwIfAny(where) {
      if (found.issues.length === 0) return;
      const issues = found.issues.map((issue) => {
        const line = lineOf(issue.path);
        return line === undefined ? issue : { ...issue, line };
      });
      throw new ConfigurationError(where, issues);
    },
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    const message = `cannot be read (${code}); give the path of a YAML or JSON policy`;
    throw new ConfigurationError("the policy file", [{ path: file, code: "unreadable", message }]);
  }
}

/** The running policy is compared with its baseline by content, so nothing may write to it. */
function deepFreeze<Value>(value: Value): Value {
  if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
