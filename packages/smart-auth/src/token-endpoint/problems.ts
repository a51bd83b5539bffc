import type { Problem } from "@wardline/policy-types";
import type { OAuthRefusal } from "./legacy-grants.ts";

/** RFC 6749 section 5.1 asks for it beside `Cache-Control`. */
const UNCACHED = Object.freeze({ Pragma: "no-cache" });

/** What no new server should answer, by the error that says so. */
export function grantRefused({ status, error, description }: OAuthRefusal): Problem {
  return Object.freeze({
    code: "smart-auth/grant-refused",
    status,
    issue: "not-supported",
    oauthError: error,
    detail: description,
    headers: UNCACHED,
  });
}

/** RFC 6749 section 5.2. Which part of it was wrong, only the decision's `because` tells. */
export const CLIENT_UNPROVED: Problem = Object.freeze({
  code: "smart-auth/client-unproved",
  status: 401,
  issue: "login",
  oauthError: "invalid_client",
  detail: "The client has not proved who it is.",
  headers: UNCACHED,
});

/** RFC 6749 section 5.2: whoever came with the Authorization header is told its scheme. */
export const CLIENT_UNPROVED_BASIC: Problem = Object.freeze({
  ...CLIENT_UNPROVED,
  headers: Object.freeze({ ...UNCACHED, "WWW-Authenticate": 'Basic realm="token endpoint"' }),
});

export const CLIENT_AMBIGUOUS: Problem = Object.freeze({
  code: "smart-auth/client-ambiguous",
  status: 400,
  issue: "invalid",
  oauthError: "invalid_request",
  detail: "The request names its client in more than one way.",
  headers: UNCACHED,
});

export const CLIENTS_UNAVAILABLE: Problem = Object.freeze({
  code: "smart-auth/clients-unavailable",
  status: 503,
  issue: "transient",
  oauthError: "temporarily_unavailable",
  detail: "Whether the client is who it says cannot be told now.",
  headers: Object.freeze({ ...UNCACHED, "Retry-After": "2" }),
});
