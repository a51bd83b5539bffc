import { type Decision, type Principal, type Problem, permit } from "@wardline/policy-types";
import { clientCertificate } from "./certificate/read.ts";
import { type Credentials, headerValues, readCredentials } from "./credentials.ts";
import { createDeviceIdentifier } from "./device/identify.ts";
import type { SmartAuthSettings } from "./settings.ts";
import type { SchemeProblems } from "./token-problems.ts";
import { revocationFault, type UseSettings, useFault } from "./use.ts";
import { createVerifier } from "./verify.ts";

export type Authenticator = (credentials: Credentials) => Promise<Decision<Principal>>;

type AuthenticatorSettings = Pick<
  SmartAuthSettings,
  "issuers" | "fetch" | "now" | "development" | "onKeys" | "devices"
> &
  UseSettings;

/**
 * Builds the check of who is calling: one access token, good, and used by whom it was given to; or, where there are devices,
 * a device's certificate and no token.
 *
 * Does NOT accept a token anywhere but in the Authorization header.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
 */
export function createAuthenticator(settings: AuthenticatorSettings, schemes: SchemeProblems): Authenticator {
  const verify = createVerifier(settings);
  const identify = settings.devices === undefined ? undefined : createDeviceIdentifier(settings.devices, settings.now);

  return async function authenticate(credentials) {
    const presented = readCredentials(credentials, schemes, settings.dpop !== undefined);
    if (presented.kind === "deny") return (await asDevice(credentials, presented.problem)) ?? presented;
    const problems = presented.grant.scheme === "dpop" ? schemes.underDpop : schemes;
    const verified = await verify(presented.grant.token, problems);
    if (verified.kind === "deny") return verified;
    const use = { verified: verified.grant, presented: presented.grant, credentials, problems };
    return (await useFault(use, settings)) ?? permit(verified.grant.principal, verified.because);
  };

  /** Only in place of a token, never beside one. */
  async function asDevice(credentials: Credentials, problem: Problem): Promise<Decision<Principal> | undefined> {
    if (identify === undefined || problem !== schemes.credentialsMissing) return undefined;
    if (headerValues(credentials.rawHeaders, "authorization").length > 0) return undefined;
    const certificate = clientCertificate(credentials.rawHeaders, credentials.transport, settings.certificateHeader);
    if (certificate === undefined) return undefined;
    const device = await identify(certificate, schemes);
    if (device.kind === "deny") return device;
    const { grant: principal } = device;
    const fault = await revocationFault({ principal, hash: principal.confirmation?.x5tS256 ?? "" }, schemes, settings);
    return fault ?? device;
  }
}
