import { join } from "node:path";
import type { PolicySource } from "@wardline/policy-types";

/** The policy names them from its own folder, whatever folder a test runs in. */
const PROFILES = join(import.meta.dirname, "../profiles");

/** Where this run keeps what the policy keeps in `var`, and where its EHR and sign-in are. */
export interface Stage {
  readonly folder: string;
  readonly ehr: string;
  readonly issuer: string;
  /** Any free ports in place of the policy's. */
  readonly anyPorts: boolean;
}

/**
 * The same policy in a folder and on ports of this run, so that several may run at once. Nothing that decides is changed.
 */
export function rehearse(policy: PolicySource, { folder, ehr, issuer, anyPorts }: Stage): PolicySource {
  const text = JSON.stringify(anyPorts ? onAnyPorts(policy) : policy, (_key, value: unknown) => {
    if (typeof value !== "string") return value;
    return value
      .replace(/^(file:)?var\//, (_all, scheme = "") => `${scheme}${folder}/`)
      .replace(/^profiles\//, `${PROFILES}/`)
      .replace("http://127.0.0.1:8081", ehr)
      .replace("http://127.0.0.1:8082", issuer);
  });
  return JSON.parse(text) as PolicySource;
}

export function onAnyPorts(policy: PolicySource): PolicySource {
  return JSON.parse(JSON.stringify(policy, (key, value: unknown) => (key === "port" ? 0 : value))) as PolicySource;
}
