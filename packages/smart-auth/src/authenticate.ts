import { type Decision, deny, type Principal, permit } from "@wardline/policy-types";
import { clientCertificate } from "./certificate/read.ts";
import { checkClaims } from "./claims.ts";
import { certificateFault } from "./confirmation.ts";
import { type Credentials, readBearer } from "./credentials.ts";
import { createIntrospector, type Introspector } from "./introspection/introspect.ts";
import { createKeySource, type KeySource } from "./jwks.ts";
import type { Problems } from "./problems.ts";
import type { IssuerSettings, SmartAuthSettings } from "./settings.ts";
import { verifySignature } from "./signature.ts";
import { looksLikeJwt, parseToken } from "./token.ts";
import { createTokenCache, hashOf } from "./token-cache.ts";
import type { VerifiedToken } from "./verified.ts";

export type Authenticator = (credentials: Credentials) => Promise<Decision<Principal>>;

type AuthenticatorSettings = Pick<
  SmartAuthSettings,
  "issuers" | "fetch" | "now" | "development" | "certificateHeader" | "requireCertificateBound"
>;

interface TrustedIssuer {
  readonly issuer: IssuerSettings;
  readonly keys: KeySource;
  readonly introspect?: Introspector;
}

/**
 * Builds the check of bearer tokens: form, claims, signature, in this order, cheapest first; all must hold. What is no JWT
 * is asked about at the one issuer that answers for opaque tokens.
 *
 * Does NOT accept tokens bound to a key (RFC 9449), or a token anywhere but in the Authorization header.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 */
export function createAuthenticator(settings: AuthenticatorSettings, problems: Problems): Authenticator {
  const issuers = new Map(settings.issuers.map((issuer) => [issuer.issuer, trust(issuer, settings)]));
  const forOpaque = [...issuers.values()].find(({ issuer }) => issuer.introspection?.opaque === true)?.introspect;
  const cache = createTokenCache<VerifiedToken>();

  return async function authenticate(credentials) {
    const bearer = readBearer(credentials, problems);
    if (bearer.kind === "deny") return bearer;
    const verified = await verify(bearer.grant);
    if (verified.kind === "deny") return verified;
    const { principal } = verified.grant;
    const fault = useFault(principal, credentials);
    return fault === undefined ? permit(principal, verified.because) : deny(problems.tokenInvalid, [fault]);
  };

  /** May this caller use the token? Asked at each request: what was remembered is only that the token is good. */
  function useFault({ confirmation }: Principal, { rawHeaders, transport }: Credentials): string | undefined {
    if (confirmation?.jkt !== undefined) return "the token is bound to a key, and sent as a bearer token";
    const certificate = clientCertificate(rawHeaders, transport, settings.certificateHeader);
    return certificateFault(confirmation, certificate, settings.requireCertificateBound);
  }

  function verify(text: string): Promise<Decision<VerifiedToken>> {
    return looksLikeJwt(text) ? verifyJwt(text) : ask(forOpaque, text);
  }

  async function verifyJwt(text: string): Promise<Decision<VerifiedToken>> {
    const now = Math.floor(settings.now() / 1000);
    const key = hashOf(text);
    const known = cache.get(key, now);
    if (known !== undefined) return permit(known, ["token verified before"]);

    const token = parseToken(text);
    if ("fault" in token) return deny(problems.tokenInvalid, [token.fault]);
    // RFC 8725 section 3.8: the issuer's keys and rules come from configuration, the token only says which.
    const { iss } = token.claims;
    const trusted = typeof iss === "string" ? issuers.get(iss) : undefined;
    if (trusted === undefined) return deny(problems.tokenInvalid, ["iss is not a configured issuer"]);
    if (trusted.issuer.introspection?.always === true) return ask(trusted.introspect, text);
    const verified = checkClaims(token, trusted.issuer, now);
    if ("fault" in verified) return deny(problems.tokenInvalid, [verified.fault]);
    const signature = await verifySignature(token, trusted);
    if (signature.kind === "bad") return deny(problems.tokenInvalid, [signature.fault]);
    if (signature.kind === "unavailable") {
      return deny(problems.keysUnavailable(signature.retryAfterSeconds), ["the issuer's keys cannot be fetched"]);
    }
    cache.set(key, verified, verified.expiresAt + trusted.issuer.leewaySeconds);
    return permit(verified, ["token verified"]);
  }

  async function ask(introspect: Introspector | undefined, text: string): Promise<Decision<VerifiedToken>> {
    if (introspect === undefined) return deny(problems.tokenInvalid, ["no issuer answers for opaque tokens"]);
    const answer = await introspect(text);
    if (answer === "unavailable") {
      return deny(problems.introspectionUnavailable, ["the authorisation server did not say whether it is active"]);
    }
    return "fault" in answer
      ? deny(problems.tokenInvalid, [answer.fault])
      : permit(answer, ["the authorisation server says active"]);
  }
}

function trust(issuer: IssuerSettings, settings: AuthenticatorSettings): TrustedIssuer {
  const { introspection } = issuer;
  const keys = createKeySource({ ...settings, ...issuer });
  if (introspection === undefined) return { issuer, keys };
  return { issuer, keys, introspect: createIntrospector({ ...settings, issuer, keys, introspection }) };
}
