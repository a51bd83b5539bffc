import type { Approval } from "./policy/approve.ts";
import { policyHash } from "./policy/hash.ts";
import type { CheckedPolicy } from "./policy/load.ts";

/** What of the process can weaken an edge behind its policy's back. */
export interface RuntimeFacts {
  readonly node: string;
  readonly openssl: string;
  readonly fips: boolean;
  readonly tlsMinVersion: string;
  /** Process flags and variables that switch protections off. Empty is right. */
  readonly weakened: readonly string[];
}

/** One way in which what runs is not what was approved. */
export interface Drift {
  readonly what:
    | "policy-changed-in-memory"
    | "options-changed-in-memory"
    | "policy-file-differs"
    | "approval-expired"
    | "runtime-changed"
    | "protection-off";
  /** A name of ours or of Node's, no value of a secret. */
  readonly detail: string;
}

export interface DriftBaseline {
  readonly checked: CheckedPolicy;
  /** Hash of what every control was given when it was assembled, defaults and all. */
  readonly options: string;
  readonly approval: Approval;
  readonly facts: RuntimeFacts;
}

export interface DriftObservation {
  readonly facts: RuntimeFacts;
  /** Version of the policy file as it lies on disk; absent when there is none to compare. */
  readonly fileVersion?: string | undefined;
  readonly now: number;
}

/** Compares what runs with what was approved at start or at the last reload. */
export function findDrift(
  { checked, options, approval, facts }: DriftBaseline,
  seen: DriftObservation,
): readonly Drift[] {
  const found: Drift[] = [];
  if (policyHash(checked.source) !== checked.version) {
    found.push({ what: "policy-changed-in-memory", detail: checked.version });
  }
  if (optionsHash(checked) !== options) found.push({ what: "options-changed-in-memory", detail: checked.version });
  if (seen.fileVersion !== undefined && seen.fileVersion !== checked.version) {
    found.push({ what: "policy-file-differs", detail: seen.fileVersion });
  }
  if (approval.kind === "approved" && approval.expiresAt * 1000 <= seen.now) {
    found.push({ what: "approval-expired", detail: new Date(approval.expiresAt * 1000).toISOString() });
  }
  for (const name of ["node", "openssl", "fips", "tlsMinVersion"] as const) {
    if (facts[name] !== seen.facts[name]) found.push({ what: "runtime-changed", detail: name });
  }
  for (const name of seen.facts.weakened) found.push({ what: "protection-off", detail: name });
  return found;
}

/** Of a policy with its defaults filled in, from which alone the controls get their options. */
export function optionsHash({ policy }: CheckedPolicy): string {
  return policyHash(policy);
}

const WEAKENING_FLAGS = /^--(?:insecure-http-parser|tls-min-v1\.[01]|tls-max-v1\.[01]|inspect(?:-brk|-wait)?(?:=.*)?)$/;

export interface ProcessView {
  readonly versions: { readonly node: string; readonly openssl: string };
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fips: boolean;
  readonly tlsMinVersion: string;
}

export function readRuntimeFacts({ versions, execArgv, env, fips, tlsMinVersion }: ProcessView): RuntimeFacts {
  const flags = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(/\s+/)].filter((flag) => WEAKENING_FLAGS.test(flag));
  return {
    node: versions.node,
    openssl: versions.openssl,
    fips,
    tlsMinVersion,
    weakened: [
      ...new Set(flags.map((flag) => flag.replace(/=.*/s, ""))),
      ...(env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0" ? ["NODE_TLS_REJECT_UNAUTHORIZED"] : []),
      ...(env["SSLKEYLOGFILE"] === undefined ? [] : ["SSLKEYLOGFILE"]),
    ],
  };
}
