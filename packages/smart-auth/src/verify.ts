import { type Decision, deny, permit } from "@wardline/policy-types";
import { checkClaims, isName } from "./claims.ts";
import { createIntrospector, type Introspector } from "./introspection/introspect.ts";
import { ANY_ISSUER } from "./issuer-options.ts";
import { createKeySource, type KeySource } from "./jwks.ts";
import type { Later } from "./later.ts";
import type { IssuerSettings, SmartAuthSettings } from "./settings.ts";
import { verifySignature } from "./signature.ts";
import { looksLikeJwt, parseToken, type UnverifiedToken } from "./token.ts";
import { createTokenCache, hashOfToken } from "./token-cache.ts";
import type { Problems } from "./token-problems.ts";
import type { VerifiedToken } from "./verified.ts";

/** Is it a good token, and meant for us? The problems are those of the scheme it came by. A token verified before is known at once. */
export type Verifier = (text: string, problems: Problems) => Later<Decision<VerifiedToken>>;

type VerifierSettings = Pick<SmartAuthSettings, "issuers" | "fetch" | "now" | "development" | "onKeys">;

/** What is known of a token, and by which set of keys. */
interface Remembered {
  readonly decision: Decision<VerifiedToken>;
  readonly keys: KeySource;
  readonly generation: number;
}

const VERIFIED_BEFORE = Object.freeze(["token verified before"]);

interface TrustedIssuer {
  readonly issuer: IssuerSettings;
  readonly keys: KeySource;
  readonly introspect?: Introspector;
}

/**
 * Builds the check of tokens: form, claims, signature, in this order, cheapest first; all must hold. What is no JWT is
 * asked about at the one issuer that answers for opaque tokens.
 *
 * Does NOT check whether this caller may use the token: see `createUseCheck`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 */
export function createVerifier(settings: VerifierSettings): Verifier {
  const issuers = new Map(settings.issuers.map((issuer) => [issuer.issuer, trust(issuer, settings)]));
  const forOpaque = [...issuers.values()].find(({ issuer }) => issuer.introspection?.opaque === true)?.introspect;
  const cache = createTokenCache<Remembered>();

  return function verify(text, problems) {
    const key = hashOfToken(text);
    const known = cache.get(key, Math.floor(settings.now() / 1000));
    // A10: what a key has vouched for that is published no more, is asked anew.
    if (known !== undefined && known.keys.generation() === known.generation) return known.decision;
    const token = parseToken(text);
    if ("fault" in token) {
      // What is no JWT at all is opaque; a JWT that is malformed is not.
      return looksLikeJwt(text) ? deny(problems.tokenInvalid, [token.fault]) : ask(forOpaque, text, problems);
    }
    return verifyJwt(token, key, problems);
  };

  /** The keys are what tells issuers apart; where one set stands for all of them, the token's `iss` is whose it is. */
  function trustedBy(iss: unknown): TrustedIssuer | undefined {
    if (!isName(iss)) return undefined;
    return issuers.get(ANY_ISSUER) ?? issuers.get(iss);
  }

  async function verifyJwt(token: UnverifiedToken, key: string, problems: Problems): Promise<Decision<VerifiedToken>> {
    const now = Math.floor(settings.now() / 1000);
    const { text } = token;
    // RFC 8725 section 3.8: the issuer's keys and rules come from configuration, the token only says which.
    const trusted = trustedBy(token.claims["iss"]);
    if (trusted === undefined) return deny(problems.tokenInvalid, ["iss is not a configured issuer"]);
    if (trusted.issuer.introspection?.always === true) return ask(trusted.introspect, text, problems);
    const verified = checkClaims(token, trusted.issuer, now);
    if ("fault" in verified) return deny(problems.tokenInvalid, [verified.fault]);
    const signature = await verifySignature(token, trusted);
    if (signature.kind === "bad") return deny(problems.tokenInvalid, [signature.fault]);
    if (signature.kind === "unavailable") {
      return deny(problems.keysUnavailable(signature.retryAfterSeconds), ["the issuer's keys cannot be fetched"]);
    }
    const { keys, issuer } = trusted;
    const decision = permit(verified, VERIFIED_BEFORE);
    cache.set(key, { decision, keys, generation: signature.generation }, verified.expiresAt + issuer.leewaySeconds);
    return permit(verified, ["token verified"]);
  }
}

async function ask(
  introspect: Introspector | undefined,
  text: string,
  problems: Problems,
): Promise<Decision<VerifiedToken>> {
  if (introspect === undefined) return deny(problems.tokenInvalid, ["no issuer answers for opaque tokens"]);
  const answer = await introspect(text);
  if (answer === "unavailable") {
    return deny(problems.introspectionUnavailable, ["the authorisation server did not say whether it is active"]);
  }
  return "fault" in answer
    ? deny(problems.tokenInvalid, [answer.fault])
    : permit(answer, ["the authorisation server says active"]);
}

function trust(issuer: IssuerSettings, settings: VerifierSettings): TrustedIssuer {
  const { introspection } = issuer;
  const keys = createKeySource({ ...settings, ...issuer });
  if (introspection === undefined) return { issuer, keys };
  return { issuer, keys, introspect: createIntrospector({ ...settings, issuer, keys, introspection }) };
}
