import type { Problem } from "@wardline/policy-types";
import { problem } from "./problem.ts";

export const INTERACTION_UNKNOWN: Problem = problem(
  "interaction-unknown",
  400,
  "structure",
  "The request is no FHIR R4 interaction this server can judge.",
);
export const TYPE_NOT_SERVED: Problem = problem(
  "type-not-served",
  404,
  "not-supported",
  "This resource type is not served here.",
);
export const OPERATION_NOT_ALLOWED: Problem = problem(
  "operation-not-allowed",
  403,
  "forbidden",
  "This operation is not offered here.",
);
export const PARAMETER_UNKNOWN: Problem = problem(
  "parameter-unknown",
  400,
  "not-supported",
  "A search parameter is not known here; leaving it out would widen the search.",
);
export const SEARCH_REFUSED: Problem = problem(
  "search-refused",
  403,
  "forbidden",
  "The search asks about data beyond what the access token covers.",
);
/** A9: the one answer for what is absent and for what may not be seen. */
export const NOT_FOUND: Problem = problem("not-found", 404, "not-found", "There is no such resource.");
export const MEDIA_TYPE_UNSUPPORTED: Problem = problem(
  "media-type-unsupported",
  415,
  "not-supported",
  "The request body's media type cannot be judged; send application/fhir+json, or a form for a search.",
);
export const BODY_MISMATCH: Problem = problem(
  "body-mismatch",
  400,
  "invalid",
  "The resource in the body is not the one the URL names.",
);
export const RESOURCE_NOT_COVERED: Problem = problem(
  "resource-not-covered",
  403,
  "forbidden",
  "The submitted resource lies outside what the access token covers.",
);
export const CONDITION_REFUSED: Problem = problem(
  "condition-refused",
  403,
  "forbidden",
  "Conditional interactions need rights that are not bound to one patient or filter.",
);
export const PATCH_REFUSED: Problem = problem(
  "patch-refused",
  403,
  "forbidden",
  "PATCH needs rights that are not bound to one patient or filter; send the whole resource instead.",
);
export const STORED_UNKNOWN: Problem = problem(
  "stored-unknown",
  403,
  "forbidden",
  "The stored version cannot be judged here, so it may not be changed with bound rights.",
);
export const STORED_UNAVAILABLE: Problem = problem(
  "stored-unavailable",
  503,
  "transient",
  "The stored version cannot be read at the moment; try again later.",
  { "Retry-After": "5" },
);
export const BUNDLE_TOO_LONG: Problem = problem(
  "bundle-too-long",
  413,
  "too-costly",
  "The Bundle has more entries than are judged at once.",
);
export const TRANSACTION_REFUSED: Problem = problem(
  "transaction-refused",
  403,
  "forbidden",
  "An entry of the transaction is not allowed, so none is carried out.",
);
export const ANSWER_NOT_FHIR: Problem = problem(
  "answer-not-fhir",
  502,
  "exception",
  "The server's answer is not the FHIR resource that was asked for, so it is not sent.",
);
export const ANSWER_OPAQUE: Problem = problem(
  "answer-opaque",
  502,
  "exception",
  "The server's answer has a form in which it cannot be judged, so it is not sent.",
);

/** RFC 9110 section 15.5.6: a 405 names the methods that would do. */
export function interactionNotAllowed(allow: readonly string[]): Problem {
  return problem("interaction-not-allowed", 405, "not-supported", "This interaction is not offered here.", {
    Allow: allow.join(", "),
  });
}
