import { join } from "node:path";
import { findings, type PolicySource } from "@wardline/policy-types";
import { type CheckedPolicy, checkPolicy } from "./load.ts";

/**
 * What one process does otherwise than the policy says. Nothing of it changes what a request is permitted, so what was
 * approved is the policy as it was written, and its version names it.
 */
export interface Place {
  /** In place of `listen.port`. 0: any that is free. */
  readonly port?: number;
  /** In place of `admin.port`, for a policy that has an operator's listener. */
  readonly adminPort?: number;
  /**
   * Name of this process among those that serve the same policy file: lower-case letters, digits, hyphens. It has an audit
   * log of its own, `<folder>/<instance>`, and usage figures of its own, `<file>.<instance>`.
   */
  readonly instance?: string;
}

/**
 * The policy as this process runs it; its source and version stay those that were approved.
 *
 * @throws {ConfigurationError} when the policy keeps something that only one process can keep
 */
export function inPlace(checked: CheckedPolicy, place: Place): CheckedPolicy {
  const { policy } = checkPolicy(placedSource(checked, place));
  return { ...checked, policy };
}

/** The source as it would be written for this process alone. */
export function placedSource({ source, policy }: CheckedPolicy, { port, adminPort, instance }: Place): PolicySource {
  const { admin, usage } = source;
  return {
    ...source,
    ...(port === undefined ? {} : { listen: { ...source.listen, port } }),
    ...(admin === undefined || adminPort === undefined ? {} : { admin: { ...admin, port: adminPort } }),
    ...(instance === undefined ? {} : ownFiles()),
  };

  function ownFiles(): Partial<PolicySource> {
    refuseSharedFiles(source);
    return {
      audit: { ...source.audit, instance: String(instance), folder: join(policy.audit.folder, String(instance)) },
      ...(usage === undefined ? {} : { usage: { ...usage, file: `${usage.file}.${instance}` } }),
    };
  }
}

function refuseSharedFiles({ consent, redis, bulkExport }: PolicySource): void {
  const found = findings();
  if (consent?.file !== undefined && redis === undefined) {
    const message = "several processes cannot keep consents in one file; name a `redis`, or serve with one process";
    found.add("consent.file", "shared", message);
  }
  if (bulkExport !== undefined && bulkExport.queue !== "redis") {
    const message = "one process keeps its exports; serve with one, write `queue: redis`, or let the upstream export";
    found.add("bulkExport", "shared", message);
  }
  found.throwIfAny("the policy, for one of several processes,");
}
