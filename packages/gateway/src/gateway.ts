import type { RequestListener } from "node:http";
import type { PolicySource } from "@wardline/policy-types";
import type { Listening } from "./doors.ts";
import type { NextPolicy } from "./in-force.ts";
import type { GatewayDependencies } from "./options.ts";
import type { PolicySignature } from "./policy/signature.ts";

export interface Gateway {
  /** The assembled pipeline of the policy in force, for a server of your own. */
  readonly app: RequestListener;
  /** Hash of the policy in force. */
  readonly policyVersion: string;
  /**
   * Starts the gateway's own server on `policy.listen`, and the operator's on `policy.admin` when there is one. When it
   * cannot, it rejects and everything is closed.
   */
  listen(): Promise<Listening>;
  /**
   * Puts another policy in force, whole or not at all: when it rejects, the running one stays (F11). Requests in work end
   * under the policy they began with. Certificates of the doors are read again, too.
   *
   * @throws {ConfigurationError} when the new policy is wrong, not approved, or needs a restart
   */
  reload(policy: PolicySource | (() => Promise<NextPolicy>), signature?: PolicySignature): Promise<void>;
  /** Tells which version lies on disk; a difference from what runs is drift. */
  noteFileVersion(version: string | undefined): void;
  /** Stops accepting, lets answers in work end, flushes the audit ledger; in bounded time (F15). */
  close(): Promise<void>;
}

/**
 * Assembles every control and the upstream proxy from one policy.
 *
 * @throws {ConfigurationError} with every mistake of the policy at once, or when nobody approved it
 * @throws {DependencyError} when the audit ledger cannot be opened
 */
export async function createGateway(source: PolicySource, given: GatewayDependencies = {}): Promise<Gateway> {
  // All the controls, and what forwards to upstreams: whoever only reads, signs or compares policies does not wait for it.
  const { makeGateway } = await import("./make-gateway.ts");
  return makeGateway(source, given);
}
