import type { Problem } from "@wardline/policy-types";

/** The refusals of DLP. Parameters are named by the codes of R4, never by what the client typed. */
export const PHI_IN_URL: Problem = Object.freeze({
  code: "phi-redact/phi-in-url",
  status: 400,
  issue: "security",
  detail:
    "The URL holds what looks like an identifier of a person. URLs are kept in logs and histories: send it in a request body.",
});

export const PHI_IN_HEADER: Problem = Object.freeze({
  code: "phi-redact/phi-in-header",
  status: 400,
  issue: "security",
  detail: "A request header holds what looks like an identifier of a person. Headers are kept in logs: leave it out.",
});

const SEARCH_NEEDS_POST: Problem = Object.freeze({
  code: "phi-redact/search-needs-post",
  status: 400,
  issue: "security",
  detail:
    "This search identifies a person in its URL. Send the same parameters as application/x-www-form-urlencoded in the body of POST [base]/[type]/_search.",
});

/** @see https://hl7.org/fhir/R4/http.html#search */
export function searchNeedsPost(codes: readonly string[]): Problem {
  return { ...SEARCH_NEEDS_POST, expression: codes };
}
