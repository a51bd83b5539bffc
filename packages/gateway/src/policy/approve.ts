import { ConfigurationError } from "@wardline/policy-types";
import type { CheckedPolicy } from "./load.ts";
import { type PolicySignature, type SignatureResult, verifyPolicy } from "./signature.ts";

/** By which right a policy is in force. */
export type Approval = { readonly kind: "development" } | Extract<SignatureResult, { readonly kind: "approved" }>;

/** Asks for a signature, and has none. */
export const BY_NOBODY: PolicySignature = Object.freeze({ statements: [], keys: { keys: [] } });

/**
 * A policy takes effect when enough of the trusted keys signed it, or under `development`, which the schema rules bind to
 * loopback addresses. Where keys are named, `development` asks for a signature too: who may write the file but not sign it
 * would write it there.
 *
 * @throws {ConfigurationError} when it is neither (F11)
 */
export async function approve(
  { policy, version }: CheckedPolicy,
  signature: PolicySignature | undefined,
  now: number,
): Promise<Approval> {
  if (policy.development === true && signature === undefined) return { kind: "development" };
  const result = await verifyPolicy(version, signature ?? BY_NOBODY, now);
  if (result.kind === "approved") return result;
  const otherwise = policy.development === true ? "name no keys" : "set `development: true` on loopback";
  throw new ConfigurationError(
    "the policy's signature",
    result.because.map((message) => ({
      path: "signature",
      code: "unsigned",
      message: `${message}; sign version ${version.slice(0, 16)} with a trusted key, or ${otherwise}`,
    })),
  );
}
