import { type Decision, type Principal, permit } from "@wardline/policy-types";
import { type Credentials, readCredentials } from "./credentials.ts";
import type { SmartAuthSettings } from "./settings.ts";
import type { SchemeProblems } from "./token-problems.ts";
import { type UseSettings, useFault } from "./use.ts";
import { createVerifier } from "./verify.ts";

export type Authenticator = (credentials: Credentials) => Promise<Decision<Principal>>;

type AuthenticatorSettings = Pick<SmartAuthSettings, "issuers" | "fetch" | "now" | "development"> & UseSettings;

/**
 * Builds the check of who is calling: one access token, good, and used by whom it was given to.
 *
 * Does NOT accept a token anywhere but in the Authorization header.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
 */
export function createAuthenticator(settings: AuthenticatorSettings, schemes: SchemeProblems): Authenticator {
  const verify = createVerifier(settings);

  return async function authenticate(credentials) {
    const presented = readCredentials(credentials, schemes, settings.dpop !== undefined);
    if (presented.kind === "deny") return presented;
    const problems = presented.grant.scheme === "dpop" ? schemes.underDpop : schemes;
    const verified = await verify(presented.grant.token, problems);
    if (verified.kind === "deny") return verified;
    const use = { verified: verified.grant, presented: presented.grant, credentials, problems };
    return (await useFault(use, settings)) ?? permit(verified.grant.principal, verified.because);
  };
}
