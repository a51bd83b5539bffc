import type { IssueType, Problem } from "@wardline/policy-types";

/** The refusals of operations described by OpenAPI. */
export const OPERATION_UNKNOWN: Problem = problem(
  "operation-unknown",
  404,
  "not-found",
  "This API declares no such path.",
);
export const OPERATION_METHOD: Problem = problem(
  "operation-method",
  405,
  "not-supported",
  "This API declares no such method for this path.",
);
export const OPERATION_PARAMETERS: Problem = problem(
  "operation-parameters",
  400,
  "value",
  "The request's path or one of its parameters is not as this API declares it.",
);
export const OPERATION_BODY: Problem = problem(
  "operation-body",
  400,
  "structure",
  "The request body is not as this API declares it.",
);
export const OPERATION_MEDIA_TYPE: Problem = problem(
  "operation-media-type",
  415,
  "not-supported",
  "The request body's media type is not one this API declares.",
);
export const OPERATION_RESPONSE: Problem = problem(
  "operation-response",
  502,
  "exception",
  "The answer is not as this API declares it, and was not sent.",
);

function problem(name: string, status: number, issue: IssueType, detail: string): Problem {
  return Object.freeze({ code: `fhir-schema/${name}`, status, issue, detail });
}
