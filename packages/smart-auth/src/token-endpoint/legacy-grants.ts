import { foldedName, isSpelledOtherwise } from "./parameters.ts";

/** Where a request was sent. */
export type OAuthEndpoint = "authorization" | "token";

/** An error of RFC 6749 sections 4.1.2.1 and 5.2. */
export interface OAuthRefusal {
  readonly status: 400;
  readonly error: "invalid_request" | "unsupported_response_type" | "unsupported_grant_type" | "request_not_supported";
  /** A fixed sentence. */
  readonly description: string;
}

/** RFC 6749 appendix A: `name-char`. */
const NAME = /^[A-Za-z0-9\-._]+$/;
/** What a request is refused for, or would be. */
const JUDGED: ReadonlySet<string> = new Set([
  "request",
  "request_uri",
  "response_type",
  "code_challenge",
  "code_challenge_method",
  "grant_type",
  "code_verifier",
]);
const GRANTS = new Set(["authorization_code", "refresh_token", "client_credentials"]);
/** RFC 7636 section 4.2: SHA-256 in base64url. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
/** RFC 7636 section 4.1 */
const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/**
 * Why a request of OAuth is refused: the implicit grant, passwords, PKCE that is missing or plain, and whatever would hide
 * these; `undefined` when it is none of them.
 *
 * Does NOT know the client, its redirect URI or its scopes; the authorisation server checks them.
 *
 * @param parameters every parameter of the request, URL and form together, repeats included
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-2.1
 */
export function decideLegacyGrant(endpoint: OAuthEndpoint, parameters: URLSearchParams): OAuthRefusal | undefined {
  const names = [...parameters.keys()];
  // Some readers of forms take `grant_type[]`, or `grant_type` after a space, for a second `grant_type`.
  const isMalformed = names.some((name) => !NAME.test(name) || isSpelledOtherwise(name, JUDGED));
  if (isMalformed) return refusal("invalid_request", "A parameter is malformed.");
  const folded = names.map(foldedName);
  // RFC 6749 section 3.1; RFC 8707 lets `resource` repeat. Of two values, two readers may take different ones.
  const isRepeated = folded.some((name, at) => name !== "resource" && folded.indexOf(name) !== at);
  if (isRepeated) return refusal("invalid_request", "A parameter is repeated.");
  return endpoint === "authorization" ? authorizationFault(parameters) : tokenFault(parameters);
}

function authorizationFault(parameters: URLSearchParams): OAuthRefusal | undefined {
  // RFC 9101 section 5: with a request object the parameters beside it do not count.
  if (parameters.has("request") || parameters.has("request_uri")) {
    return refusal("request_not_supported", "Request objects are not accepted.");
  }
  if (parameters.get("response_type") !== "code") {
    return refusal("unsupported_response_type", "Only the authorization code flow is offered.");
  }
  // RFC 7636 section 4.3: without a method it would be plain.
  const isS256 = parameters.get("code_challenge_method") === "S256";
  if (!isS256 || !CHALLENGE.test(parameters.get("code_challenge") ?? "")) {
    return refusal("invalid_request", "PKCE with S256 is required.");
  }
  return undefined;
}

function tokenFault(parameters: URLSearchParams): OAuthRefusal | undefined {
  const grant = parameters.get("grant_type");
  if (grant === null) return refusal("invalid_request", "grant_type is missing.");
  if (!GRANTS.has(grant)) return refusal("unsupported_grant_type", "This grant is not offered.");
  if (grant === "authorization_code" && !VERIFIER.test(parameters.get("code_verifier") ?? "")) {
    return refusal("invalid_request", "The PKCE code_verifier is missing or malformed.");
  }
  return undefined;
}

function refusal(error: OAuthRefusal["error"], description: string): OAuthRefusal {
  return Object.freeze({ status: 400, error, description });
}
