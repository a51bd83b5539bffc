import { type Decision, deny, type Principal, permit } from "@wardline/policy-types";
import { type CryptoKey, compactVerify } from "jose";
import { checkClaims } from "./claims.ts";
import { createKeySource, type KeySource } from "./jwks.ts";
import type { Problems } from "./problems.ts";
import type { IssuerSettings, SmartAuthSettings } from "./settings.ts";
import { parseToken, type UnverifiedToken } from "./token.ts";
import { createTokenCache } from "./token-cache.ts";

/** What a request shows of who sent it. */
export interface Credentials {
  /** Names and values in turn, repeats included, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** The text after "?", still encoded. */
  readonly query: string;
}

export type Authenticator = (credentials: Credentials) => Promise<Decision<Principal>>;

type AuthenticatorSettings = Pick<SmartAuthSettings, "issuers" | "fetch" | "now" | "development">;

/**
 * Builds the check of bearer tokens: form, claims, signature, in this order, cheapest first; all must hold.
 *
 * Does NOT accept opaque tokens, sender-constrained tokens, or a token anywhere but in the Authorization header.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 */
export function createAuthenticator(settings: AuthenticatorSettings, problems: Problems): Authenticator {
  const issuers = new Map(
    settings.issuers.map((issuer) => [issuer.issuer, { issuer, keys: createKeySource({ ...settings, ...issuer }) }]),
  );
  const cache = createTokenCache();

  return async function authenticate(credentials) {
    const bearer = readBearer(credentials, problems);
    if (bearer.kind === "deny") return bearer;
    const now = Math.floor(settings.now() / 1000);
    const known = cache.get(bearer.grant, now);
    if (known !== undefined) return permit(known, ["token verified before"]);

    const token = parseToken(bearer.grant);
    if ("fault" in token) return deny(problems.tokenInvalid, [token.fault]);
    // RFC 8725 section 3.8: the issuer's keys and rules come from configuration, the token only says which.
    const { iss } = token.claims;
    const trusted = typeof iss === "string" ? issuers.get(iss) : undefined;
    if (trusted === undefined) return deny(problems.tokenInvalid, ["iss is not a configured issuer"]);
    const principal = checkClaims(token, trusted.issuer, now);
    if ("fault" in principal) return deny(problems.tokenInvalid, [principal.fault]);
    const signature = await checkSignature(token, trusted, problems);
    if (signature.kind === "deny") return signature;
    cache.set(bearer.grant, principal, (principal.expiresAt ?? 0) + trusted.issuer.leewaySeconds);
    return permit(principal, signature.because);
  };
}

function readBearer({ rawHeaders, query }: Credentials, problems: Problems): Decision<string> {
  const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "authorization");
  if (hasAccessToken(query)) return deny(problems.credentialsMalformed, ["access_token in the URL"]);
  if (values.length > 1) return deny(problems.credentialsMalformed, ["several Authorization headers"]);
  const [value] = values;
  if (value === undefined) return deny(problems.credentialsMissing, ["no Authorization header"]);
  const [, scheme, token = ""] = /^(\S+)(?: +(.*))?$/.exec(value) ?? [];
  if (scheme?.toLowerCase() !== "bearer") return deny(problems.credentialsMissing, ["not the Bearer scheme"]);
  if (token === "") return deny(problems.credentialsMalformed, ["Bearer without a token"]);
  return permit(token, ["one bearer token"]);
}

/** RFC 9700 section 4.3.2: URLs end up in logs, so a token there is refused even beside a good header. */
function hasAccessToken(query: string): boolean {
  return query.includes("access") || query.includes("%") ? new URLSearchParams(query).has("access_token") : false;
}

async function checkSignature(
  token: UnverifiedToken,
  { issuer, keys }: { readonly issuer: IssuerSettings; readonly keys: KeySource },
  problems: Problems,
): Promise<Decision<undefined>> {
  const { alg, kid } = token.header;
  if (!issuer.algorithms.includes(alg)) return deny(problems.tokenInvalid, ["alg is not allowed for the issuer"]);
  const found = await keys.find({ alg, ...(kid === undefined ? {} : { kid }) });
  if (found.kind === "unavailable") {
    return deny(problems.keysUnavailable(found.retryAfterSeconds), ["the issuer's keys cannot be fetched"]);
  }
  if (found.kind === "unknown") return deny(problems.tokenInvalid, ["the issuer has no such key"]);
  return (await verifies(token, found.key))
    ? permit(undefined, ["token verified"])
    : deny(problems.tokenInvalid, ["the signature is wrong"]);
}

async function verifies(token: UnverifiedToken, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token.text, key, { algorithms: [token.header.alg] });
    return true;
  } catch {
    return false;
  }
}
