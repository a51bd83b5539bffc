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
  "The condition cannot be resolved within what the access token covers.",
);
export const PATCH_REFUSED: Problem = problem(
  "patch-refused",
  403,
  "forbidden",
  "PATCH with rights bound to one patient or filter needs the right to read the resource too.",
);
export const PATCH_NOT_APPLICABLE: Problem = problem(
  "patch-not-applicable",
  422,
  "processing",
  "The patch cannot be applied to the stored version, or is of a kind that cannot be judged here.",
);
/** R4 http.html: several matches answer 412. */
export const CONDITION_AMBIGUOUS: Problem = problem(
  "condition-ambiguous",
  412,
  "multiple-matches",
  "The condition selects more than one resource.",
);
export const VERSION_CONFLICT: Problem = problem(
  "version-conflict",
  412,
  "conflict",
  "The stored version is not the one that If-Match names.",
);
/** A3: one answer for a forged, a copied, an outdated and an expired link. */
export const PAGE_LINK_INVALID: Problem = problem(
  "page-link-invalid",
  410,
  "expired",
  "This page link does not count, or counts no longer; search again.",
);
export const EXPORT_STORE_UNAVAILABLE: Problem = problem(
  "export-store-unavailable",
  503,
  "transient",
  "Exports cannot be started or followed at the moment; try again later.",
  { "Retry-After": "5" },
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

export const CLIENT_NOT_REGISTERED: Problem = problem(
  "client-not-registered",
  403,
  "forbidden",
  "This application is not registered here.",
);
export const POLICY_REFUSED: Problem = problem(
  "policy-refused",
  403,
  "forbidden",
  "The access policy does not allow this request.",
);
export const BREAK_GLASS_REFUSED: Problem = problem(
  "break-glass-refused",
  403,
  "forbidden",
  "Emergency access is not open to this caller for this request.",
);
export const USER_ACCESS_UNAVAILABLE: Problem = problem(
  "user-access-unavailable",
  503,
  "transient",
  "Whose records the user may reach cannot be found out at the moment; try again later.",
  { "Retry-After": "2" },
);
export const CONSENT_WITHDRAWN: Problem = problem(
  "consent-withdrawn",
  403,
  "forbidden",
  "The patient no longer shares data with this application.",
);
export const CONSENT_UNAVAILABLE: Problem = problem(
  "consent-unavailable",
  503,
  "transient",
  "What patients withhold cannot be found out at the moment; try again later.",
  { "Retry-After": "2" },
);
export const CONSENT_UNREADABLE: Problem = problem(
  "consent-unreadable",
  422,
  "business-rule",
  "What the consent withholds cannot be told from this request; send the whole resource, by itself, to its own address.",
);
export const CONSENT_NOT_RECORDED: Problem = problem(
  "consent-not-recorded",
  503,
  "transient",
  "The consent was stored and is not in force yet; send it again.",
  { "Retry-After": "2" },
);

/** RFC 9110 section 15.5.6: a 405 names the methods that would do. */
export function interactionNotAllowed(allow: readonly string[]): Problem {
  return problem("interaction-not-allowed", 405, "not-supported", "This interaction is not offered here.", {
    Allow: allow.join(", "),
  });
}
