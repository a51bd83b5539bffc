import type { Problem } from "@wardline/policy-types";
import type { StepUp } from "./conditions/decide.ts";
import { problem } from "./problem.ts";

/** Refusals whose challenge depends on the realm and on the scheme the caller used. */
export interface Problems {
  readonly credentialsMissing: Problem;
  readonly credentialsMalformed: Problem;
  readonly tokenInvalid: Problem;
  keysUnavailable(retryAfterSeconds: number): Problem;
  readonly introspectionUnavailable: Problem;
  readonly revocationUnavailable: Problem;
  readonly replayStoreUnavailable: Problem;
  readonly proofInvalid: Problem;
  readonly certificateInvalid: Problem;
  readonly crlUnavailable: Problem;
  /** @param nonce one of ours, which the client is to use next */
  proofNonceNeeded(nonce: string): Problem;
  /** @param scope the smallest scope that would do, of our own words only */
  scopeInsufficient(scope: string): Problem;
  /** @see https://www.rfc-editor.org/rfc/rfc9470#section-3 */
  stepUpNeeded(stepUp: StepUp): Problem;
}

export interface SchemeProblems extends Problems {
  /** For callers that used the DPoP scheme. */
  readonly underDpop: Problems;
}

/** What the challenges offer, in characters that need no escaping. */
export interface Offers {
  /** Absent: no DPoP. */
  readonly dpopAlgorithms?: readonly string[];
  /** RFC 9728 section 5.1: where a client learns whom to ask for tokens. */
  readonly resourceMetadata?: string;
}

/** @param realm printable ASCII without quotes and backslashes: the public base URL */
export function createProblems(realm: string, offers: Offers = {}): SchemeProblems {
  const underDpop = problemsOf("DPoP", realm, offers);
  return Object.freeze({ ...problemsOf("Bearer", realm, offers), underDpop });
}

function problemsOf(scheme: "Bearer" | "DPoP", realm: string, offers: Offers): Problems {
  const { dpopAlgorithms, resourceMetadata } = offers;
  const metadata = resourceMetadata === undefined ? [] : [`resource_metadata="${resourceMetadata}"`];
  const bearer = (...parameters: string[]) => `Bearer ${[`realm="${realm}"`, ...parameters, ...metadata].join(", ")}`;
  const dpop = (...parameters: string[]) => {
    const algs = `algs="${(dpopAlgorithms ?? []).join(" ")}"`;
    return dpopAlgorithms === undefined ? [] : [`DPoP ${[...parameters, algs, ...metadata].join(", ")}`];
  };
  const headers = (...challenges: readonly string[]) => ({ "WWW-Authenticate": challenges.join(", ") });
  /** RFC 9449 section 7.2: the error stands with the scheme that was used; a bearer learns that there is another. */
  const failed = (...parameters: string[]) =>
    scheme === "DPoP" ? headers(...dpop(...parameters)) : headers(bearer(...parameters), ...dpop());
  return Object.freeze({
    // RFC 6750 section 3.1: without credentials no error code.
    credentialsMissing: problem(
      "credentials-missing",
      401,
      "login",
      "An access token is needed.",
      headers(bearer(), ...dpop()),
    ),
    credentialsMalformed: problem(
      "credentials-malformed",
      400,
      "structure",
      "The access token belongs in one Authorization header, once.",
      headers(bearer('error="invalid_request"'), ...dpop('error="invalid_request"')),
    ),
    // One answer for every reason: which check failed is for the audit record.
    tokenInvalid: problem(
      "token-invalid",
      401,
      "login",
      "The access token is not valid here.",
      failed('error="invalid_token"'),
    ),
    proofInvalid: problem(
      "proof-invalid",
      401,
      "login",
      "The proof of possession does not show that this request is the key holder's.",
      failed('error="invalid_dpop_proof"'),
    ),
    proofNonceNeeded: (nonce) =>
      problem("proof-nonce-needed", 401, "login", "The proof of possession must carry the nonce given here.", {
        ...failed('error="use_dpop_nonce"'),
        "DPoP-Nonce": nonce,
      }),
    // Whoever shows a certificate that is no device's may still come with a token.
    certificateInvalid: problem(
      "certificate-invalid",
      401,
      "login",
      "The client certificate is not valid here.",
      headers(bearer(), ...dpop()),
    ),
    keysUnavailable: (retryAfterSeconds) =>
      problem(
        "keys-unavailable",
        503,
        "transient",
        "The access token cannot be verified at the moment; try again later.",
        { "Retry-After": String(retryAfterSeconds) },
      ),
    ...SOURCES,
    stepUpNeeded: ({ acr, maxAgeSeconds }) =>
      problem(
        "step-up-needed",
        401,
        "login",
        "This needs a stronger or more recent sign-in of the user.",
        failed(
          'error="insufficient_user_authentication"',
          ...(acr === undefined ? [] : [`acr_values="${acr.join(" ")}"`]),
          ...(maxAgeSeconds === undefined ? [] : [`max_age="${maxAgeSeconds}"`]),
        ),
      ),
    scopeInsufficient: (scope) =>
      problem(
        "scope-insufficient",
        403,
        "forbidden",
        "The access token's scopes do not cover this interaction.",
        headers(
          ...(scheme === "DPoP"
            ? dpop('error="insufficient_scope"', `scope="${scope}"`)
            : [bearer('error="insufficient_scope"', `scope="${scope}"`)]),
        ),
      ),
  } satisfies Problems);
}

/** F8: what a source does not say is not yes. */
const SOURCES = {
  introspectionUnavailable: problem(
    "introspection-unavailable",
    503,
    "transient",
    "The authorisation server does not say whether the access token is active; try again later.",
    { "Retry-After": "2" },
  ),
  revocationUnavailable: problem(
    "revocation-unavailable",
    503,
    "transient",
    "Whether the access token was revoked cannot be found out at the moment; try again later.",
    { "Retry-After": "2" },
  ),
  replayStoreUnavailable: problem(
    "replay-store-unavailable",
    503,
    "transient",
    "Whether the request is a repeated one cannot be found out at the moment; try again later.",
    { "Retry-After": "2" },
  ),
  crlUnavailable: problem(
    "crl-unavailable",
    503,
    "transient",
    "Whether the client certificate was revoked cannot be found out at the moment; try again later.",
    { "Retry-After": "2" },
  ),
} satisfies Partial<Problems>;
