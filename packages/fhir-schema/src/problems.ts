import type { IssueType, Problem } from "@wardline/policy-types";
import type { SchemaIssue } from "./issues.ts";
import type { JsonFault } from "./json-faults.ts";

/** In HL7's own list, where it has one that fits. */
const OUTCOME_CODES: Readonly<Record<string, string>> = {
  "interaction-unknown": "MSG_UNKNOWN_OPERATION",
  "type-not-served": "MSG_UNKNOWN_TYPE",
  "not-acceptable": "MSG_BAD_FORMAT",
  "media-type-unsupported": "MSG_BAD_FORMAT",
  "body-refused": "MSG_CANT_PARSE_CONTENT",
  "body-missing": "MSG_RESOURCE_REQUIRED",
  "body-unexpected": "MSG_RESOURCE_NOT_ALLOWED",
};

function problem(name: string, status: number, issue: IssueType, detail: string): Problem {
  const outcomeCode = OUTCOME_CODES[name];
  const told = { code: `fhir-schema/${name}`, status, issue, detail };
  return Object.freeze(outcomeCode === undefined ? told : { ...told, outcomeCode });
}

export const INTERACTION_UNKNOWN: Problem = problem(
  "interaction-unknown",
  400,
  "structure",
  "The request is no interaction that FHIR R4 defines.",
);
export const TYPE_NOT_SERVED: Problem = problem(
  "type-not-served",
  404,
  "not-supported",
  "This server does not serve that resource type here.",
);
export const NOT_ACCEPTABLE: Problem = problem(
  "not-acceptable",
  406,
  "not-supported",
  "This server answers in FHIR JSON of the versions it serves, and the request accepts none.",
);
export const MEDIA_TYPE_UNSUPPORTED: Problem = Object.freeze({
  ...problem(
    "media-type-unsupported",
    415,
    "not-supported",
    "The request body's media type is not one this interaction takes.",
  ),
  headers: {
    "Accept-Post": "application/fhir+json, application/x-www-form-urlencoded",
    "Accept-Patch": "application/json-patch+json, application/fhir+json",
  },
});
export const BODY_UNEXPECTED: Problem = problem(
  "body-unexpected",
  400,
  "structure",
  "This interaction takes no request body.",
);
export const BODY_MISSING: Problem = problem("body-missing", 400, "required", "This interaction needs a request body.");
export const BODY_INFLATES: Problem = problem(
  "body-inflates",
  413,
  "too-long",
  "The request body grows more by decompression than FHIR content does.",
);

const JSON_FAULTS: Readonly<Record<JsonFault, readonly [IssueType, string]>> = {
  "too-deep": ["too-costly", "The request body is nested deeper than this server reads."],
  "array-too-long": ["too-costly", "A list in the request body is longer than this server reads."],
  "forbidden-name": ["structure", "The request body has a member whose name no FHIR element has."],
  "repeated-name": ["structure", "The request body has an object with two members of one name."],
  "number-form": ["value", "The request body holds a number that cannot be read without changing it."],
  "lone-surrogate": ["value", "The request body holds text that is no Unicode text."],
};

export function bodyRefused(fault: JsonFault): Problem {
  const [issue, detail] = JSON_FAULTS[fault];
  return problem("body-refused", 400, issue, detail);
}

/** What was found fault with; each has a code of its own. */
export type FindingKind = "query" | "resource" | "patch" | "operation" | "profile";

const SUMMARIES: Readonly<Record<FindingKind, Problem>> = {
  query: problem("query-invalid", 400, "value", "The query is not well-formed FHIR."),
  resource: problem("resource-invalid", 400, "structure", "The resource is not well-formed FHIR."),
  patch: problem("patch-invalid", 400, "structure", "The patch is not well-formed."),
  operation: problem("operation-invalid", 400, "structure", "The operation's inputs are not those it takes."),
  // R4 http.html, "create": what breaks profiles or business rules is 422.
  profile: problem("profile-not-met", 422, "invariant", "The resource does not conform to the profiles asked of it."),
};

/** One refusal for all that was found: its issues, each with a place, none with a value. */
export function findingsProblem(kind: FindingKind, issues: readonly SchemaIssue[]): Problem {
  return { ...SUMMARIES[kind], issues };
}
