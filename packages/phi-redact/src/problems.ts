import type { Problem } from "@wardline/policy-types";

const problem = (code: string, status: number, issue: Problem["issue"], detail: string): Problem =>
  Object.freeze({ code: `phi-redact/${code}`, status, issue, detail });

/** A5: no profile for this caller is no data for this caller. */
export const NO_PROFILE: Problem = problem(
  "no-profile",
  403,
  "forbidden",
  "No redaction profile allows this caller to receive data here.",
);
export const INTERACTION_UNKNOWN: Problem = problem(
  "interaction-unknown",
  400,
  "not-supported",
  "The request is none that FHIR R4 defines, so it cannot be told which data its answer would hold.",
);
export const TYPE_WITHHELD: Problem = problem(
  "type-withheld",
  403,
  "suppressed",
  "Resources of this type are not part of what this caller may receive.",
);
export const SEARCH_PROBES: Problem = problem(
  "search-probes",
  403,
  "suppressed",
  "The search, sort or condition uses an element that this caller does not receive.",
);
export const PARTS_ASKED: Problem = problem(
  "parts-asked",
  403,
  "suppressed",
  "Parts of resources are not given here, for only a whole one shows whether this caller may receive it; ask without _elements and _summary.",
);
export const PATCH_PROBES: Problem = problem(
  "patch-probes",
  403,
  "suppressed",
  "A patch that tests, copies or moves could tell elements that this caller does not receive; replace or add instead.",
);
export const PARTIAL_WRITE: Problem = problem(
  "partial-write",
  422,
  "business-rule",
  "The resource was redacted when it was read (tag SUBSETTED, a redaction label or a masked element), so writing it back would destroy what was left out; send a PATCH of the elements to change.",
);
export const BODY_UNREADABLE: Problem = problem(
  "body-unreadable",
  415,
  "not-supported",
  "What is written must be JSON, so that a redacted resource is recognised.",
);
export const NOT_AVAILABLE: Problem = problem("not-available", 404, "not-found", "The resource is not available.");
export const ANSWER_UNJUDGEABLE: Problem = problem(
  "answer-unjudgeable",
  502,
  "exception",
  "The answer holds something that is not FHIR R4, so no rule can speak about it and it is not sent.",
);
/** Its status is that of the answer. */
export const ERROR_WITHHELD: Problem = problem(
  "error-withheld",
  500,
  "processing",
  "The server answered with an error; its text is not passed on because it may name a patient.",
);
export const PREPARATION_FAILED: Problem = Object.freeze({
  ...problem(
    "preparation-failed",
    503,
    "transient",
    "The keys or consents needed to redact the answer cannot be had now; try again later.",
  ),
  headers: { "Retry-After": "5" },
});
