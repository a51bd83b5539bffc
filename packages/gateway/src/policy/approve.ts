import { ConfigurationError } from "@wardline/policy-types";
import type { CheckedPolicy } from "./load.ts";
import { type PolicySignature, type SignatureResult, verifyPolicy } from "./signature.ts";

/** By which right a policy is in force. */
export type Approval = { readonly kind: "development" } | Extract<SignatureResult, { readonly kind: "approved" }>;

/**
 * A policy takes effect when enough of the trusted keys signed it, or under `development`, which the schema rules bind to
 * loopback addresses.
 *
 * @throws {ConfigurationError} when it is neither (F11)
 */
export async function approve(
  { policy, version }: CheckedPolicy,
  signature: PolicySignature | undefined,
  now: number,
): Promise<Approval> {
  if (policy.development === true) return { kind: "development" };
  const result = await verifyPolicy(version, signature ?? { statements: [], keys: { keys: [] } }, now);
  if (result.kind === "approved") return result;
  throw new ConfigurationError(
    "the policy's signature",
    result.because.map((message) => ({
      path: "signature",
      code: "unsigned",
      message: `${message}; sign version ${version.slice(0, 16)} with a trusted key, or set \`development: true\` on loopback`,
    })),
  );
}
