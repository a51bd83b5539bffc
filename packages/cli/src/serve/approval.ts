import { type CheckedPolicy, type PolicySignature, signPolicy, verifyPolicy } from "@wardline/gateway";
import { ConfigurationError } from "@wardline/policy-types";
import { exportJWK, generateKeyPair } from "jose";
import { CliError } from "../exit.ts";
import { readTrustedKeys } from "../keys/jwk.ts";
import { readStatements } from "../policy/statements.ts";

export interface Trust {
  readonly signatureFile: string;
  readonly keysFile: string | undefined;
  readonly minimumSignatures: number | undefined;
}

/**
 * Until when the policy of this version is approved, in seconds since the epoch.
 *
 * @throws {ConfigurationError} when it is not (F11)
 */
export async function approvedUntil(version: string, trust: Trust, now: () => number): Promise<number> {
  const { signatureFile, keysFile, minimumSignatures: minimum = 1 } = trust;
  if (keysFile === undefined) {
    throw new CliError(
      "name the public keys of those who may approve a policy with --keys, or set `development: true`",
    );
  }
  const [statements, keys] = await Promise.all([readStatements(signatureFile), readTrustedKeys(keysFile)]);
  const result = await verifyPolicy(version, { statements, keys, minimum }, now());
  if (result.kind === "approved") return result.expiresAt;
  const issues = result.because.map((message) => ({ path: "signature", code: "unsigned", message }));
  throw new ConfigurationError("the policy's signature", issues);
}

/** States for this process alone that it changed nothing of an approved policy but its own place. */
export async function standInFor(): Promise<{
  sign(changed: CheckedPolicy, untilSeconds: number): Promise<PolicySignature>;
}> {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA");
  const keyId = "this-process";
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: keyId, alg: "EdDSA" }] };
  return {
    async sign(changed, untilSeconds) {
      const now = Date.now();
      const validSeconds = untilSeconds - Math.floor(now / 1000);
      const statement = await signPolicy(changed, { key: privateKey, keyId, algorithm: "EdDSA", validSeconds, now });
      return { statements: [statement], keys };
    },
  };
}
