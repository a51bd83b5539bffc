import type { PolicySource } from "@wardline/policy-types";
import type { Gateway } from "./make-gateway.ts";
import type { GatewayDependencies } from "./options.ts";

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
