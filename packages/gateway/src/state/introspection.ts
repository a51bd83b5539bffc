import type { IssuerEntry } from "@wardline/policy-types";
import type { SmartIssuer } from "@wardline/smart-auth";
import { jwk, type ReadSecret, readText } from "./read.ts";

type Policy = NonNullable<IssuerEntry["introspection"]>;
type Options = NonNullable<SmartIssuer["introspection"]>;

/**
 * How an issuer is asked about tokens, its secrets and files fetched.
 *
 * @param path of the entry in the policy, for findings
 * @throws {ConfigurationError} when a file is missing or a secret has the wrong form
 * @see https://www.rfc-editor.org/rfc/rfc7662
 */
export async function askingOf(policy: Policy, path: string, readSecret: ReadSecret): Promise<Options> {
  const { authentication, decryption, ...rest } = policy;
  return {
    ...rest,
    authentication: await authenticationOf(authentication, `${path}.authentication`, readSecret),
    ...(decryption === undefined
      ? {}
      : { decryption: { ...decryption, key: jwk(await readSecret(decryption.key), `${path}.decryption.key`) } }),
  };
}

async function authenticationOf(
  given: Policy["authentication"],
  path: string,
  readSecret: ReadSecret,
): Promise<Options["authentication"]> {
  switch (given.method) {
    case "client_secret_basic":
      return { method: given.method, secret: await readSecret(given.secret) };
    case "private_key_jwt":
      return { ...given, key: jwk(await readSecret(given.key), `${path}.key`) };
    case "tls_client_auth":
    case "self_signed_tls_client_auth": {
      const { method, cert, key, ca } = given;
      return {
        method,
        cert: await readText(cert, `${path}.cert`),
        key: await readSecret(key),
        ...(ca === undefined
          ? {}
          : { ca: await Promise.all(ca.map((file, index) => readText(file, `${path}.ca[${index}]`))) }),
      };
    }
  }
}
