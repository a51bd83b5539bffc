import type { Problem } from "@wardline/policy-types";

function problem(
  name: string,
  status: number,
  issue: Problem["issue"],
  detail: string,
  more?: Partial<Problem>,
): Problem {
  return Object.freeze({ code: `gateway/${name}`, status, issue, detail, ...more });
}

export const NO_ROUTE: Problem = problem("no-route", 404, "not-found", "Nothing is served under this path.");

/** RFC 9110 section 15.5.6; `Allow` is added where the endpoint is known. */
export const SIGN_IN_METHOD: Problem = problem(
  "sign-in-method",
  405,
  "not-supported",
  "The endpoint is not asked with this method.",
);

export const TOKEN_QUERY: Problem = problem(
  "token-query",
  400,
  "invalid",
  "The token endpoint takes its parameters in the body, not in the URL.",
);

export const CERTIFICATE_NEEDED: Problem = problem(
  "certificate-needed",
  403,
  "login",
  "This part of the API is open to clients with a certificate only.",
);

export const WRONG_METHOD: Problem = problem(
  "wrong-method",
  403,
  "forbidden",
  "This part of the API is for callers who prove who they are in another way.",
);

export const CLIENT_NOT_LISTED: Problem = problem(
  "client-not-listed",
  403,
  "forbidden",
  "This part of the API is open to certain applications only, and yours is not among them.",
);

export const ADMIN_BODY_WRONG: Problem = problem(
  "admin-body-wrong",
  400,
  "invalid",
  "The operation needs a JSON object of texts with the members its description names.",
);

export const ADMIN_NOT_FOUND: Problem = problem(
  "admin-not-found",
  404,
  "not-found",
  "There is nothing of this name here.",
);

/** One request, several systems: the answer of one would look like all there is. */
export const BACKENDS_MIXED: Problem = problem(
  "backends-mixed",
  422,
  "not-supported",
  "The request asks for data of several systems at once; ask for one resource type at a time.",
);

export const IDEMPOTENCY_KEY_INVALID: Problem = problem(
  "idempotency-key-invalid",
  400,
  "invalid",
  "The Idempotency-Key is not one quoted or plain text of at most 255 visible characters.",
);

export const IDEMPOTENCY_IN_WORK: Problem = problem(
  "idempotency-in-work",
  409,
  "duplicate",
  "A request with this Idempotency-Key is still being worked on.",
  { headers: { "Retry-After": "2" } },
);

export const IDEMPOTENCY_OTHER_REQUEST: Problem = problem(
  "idempotency-other-request",
  422,
  "business-rule",
  "This Idempotency-Key was used for a different request.",
);

export const IDEMPOTENCY_UNAVAILABLE: Problem = problem(
  "idempotency-unavailable",
  503,
  "transient",
  "Whether this request was done before cannot be told now, so it is not done.",
  { headers: { "Retry-After": "2" } },
);

export const UPSTREAM_UNREACHABLE: Problem = problem(
  "upstream-unreachable",
  502,
  "transient",
  "The server that holds the data cannot be reached.",
);

export const UPSTREAM_BROKE_OFF: Problem = problem(
  "upstream-broke-off",
  502,
  "transient",
  "The server that holds the data broke off its answer, so none of it is sent.",
);

export const UPSTREAM_TIMEOUT: Problem = problem(
  "upstream-timeout",
  504,
  "timeout",
  "The server that holds the data did not answer in time.",
  { headers: { "Retry-After": "5" } },
);

/** A redirect, a demand for credentials or a protocol switch: meant for the gateway, not for the client. */
export const UPSTREAM_UNEXPECTED: Problem = problem(
  "upstream-unexpected",
  502,
  "exception",
  "The server that holds the data gave an answer that cannot be passed on.",
);

/** Whatever a stage threw: nothing about it is told, everything about it is logged. */
export const INTERNAL: Problem = problem(
  "internal",
  500,
  "exception",
  "The server failed to answer this request safely.",
);
