import { type Decision, type Deny, type Permit, type Principal, permit } from "@wardline/policy-types";
import { clientCertificate } from "./certificate/read.ts";
import { type Credentials, headerValues, type PresentedToken, readCredentials } from "./credentials.ts";
import { createDeviceIdentifier } from "./device/identify.ts";
import { goOnWith, type Later } from "./later.ts";
import type { SmartAuthSettings } from "./settings.ts";
import type { SchemeProblems } from "./token-problems.ts";
import { revocationFault, type UseSettings, useFault } from "./use.ts";
import type { VerifiedToken } from "./verified.ts";
import { createVerifier } from "./verify.ts";

/** A caller whose token was verified before is known at once, where no store has to be asked about its use. */
export type Authenticator = (credentials: Credentials) => Later<Decision<Principal>>;

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

  return function authenticate(credentials) {
    const presented = readCredentials(credentials, schemes, settings.dpop !== undefined);
    if (presented.kind === "deny") return asDevice(credentials, presented);
    const { token, scheme } = presented.grant;
    const problems = scheme === "dpop" ? schemes.underDpop : schemes;
    return goOnWith(verify(token, problems), (verified) =>
      verified.kind === "deny" ? verified : usedBy(credentials, presented.grant, verified),
    );
  };

  function usedBy(
    credentials: Credentials,
    presented: PresentedToken,
    verified: Permit<VerifiedToken>,
  ): Later<Decision<Principal>> {
    const { grant, because } = verified;
    const problems = presented.scheme === "dpop" ? schemes.underDpop : schemes;
    const fault = useFault({ verified: grant, presented, credentials, problems }, settings);
    return goOnWith(fault, (found) => found ?? permit(grant.principal, because));
  }

  /** Only in place of a token, never beside one. */
  function asDevice(credentials: Credentials, refused: Deny): Later<Decision<Principal>> {
    if (identify === undefined || refused.problem !== schemes.credentialsMissing) return refused;
    const { rawHeaders, transport } = credentials;
    if (headerValues(rawHeaders, "authorization").length > 0) return refused;
    const certificate = clientCertificate(rawHeaders, transport, settings.certificateHeader);
    return certificate === undefined ? refused : identified(identify(certificate, schemes));
  }

  async function identified(device: ReturnType<NonNullable<typeof identify>>): Promise<Decision<Principal>> {
    const decision = await device;
    if (decision.kind === "deny") return decision;
    const { grant: principal } = decision;
    const fault = await revocationFault({ principal, hash: principal.confirmation?.x5tS256 ?? "" }, schemes, settings);
    return fault ?? decision;
  }
}
