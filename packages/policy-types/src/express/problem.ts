import type { ServerResponse } from "node:http";
import type { Problem } from "../decision.ts";
import { sendOwnAnswer } from "./answer.ts";
import { contextOf } from "./context.ts";

export const OPERATION_OUTCOME_MEDIA_TYPE = "application/fhir+json; charset=utf-8";

/**
 * Renders a refusal as an R4 OperationOutcome. Holds the fixed sentence, the code and element names of the problem,
 * nothing of the request.
 *
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export function renderOperationOutcome(problem: Problem): object {
  return {
    resourceType: "OperationOutcome",
    issue: [
      {
        severity: problem.status >= 500 ? "fatal" : "error",
        code: problem.issue,
        details: { coding: [{ system: "urn:wardline:error-code", code: problem.code }], text: problem.detail },
        ...(problem.expression === undefined ? {} : { expression: problem.expression }),
      },
    ],
  };
}

/**
 * Ends the request with a refusal: OperationOutcome on FHIR routes, problem details (RFC 9457) elsewhere, with the
 * request id and `Cache-Control: no-store`. Does nothing when the head of an answer has already been sent, except to cut
 * the connection: a truncated answer must not look like a whole one.
 */
export function sendProblem(res: ServerResponse, problem: Problem): void {
  const context = contextOf(res.req);
  context.problem ??= problem;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const fhir = context.media === "fhir";
  const body = fhir
    ? JSON.stringify(renderOperationOutcome(problem))
    : JSON.stringify({ type: "about:blank", title: problem.detail, status: problem.status, code: problem.code });
  const headers: Record<string, string | readonly string[]> = {
    "Content-Type": fhir ? OPERATION_OUTCOME_MEDIA_TYPE : "application/problem+json; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Request-Id": context.requestId,
    ...problem.headers,
  };
  sendOwnAnswer(res, problem.status, headers, Buffer.from(body));
}
