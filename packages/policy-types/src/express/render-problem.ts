import type { Problem, ProblemIssue } from "../decision.ts";
import type { RequestContext } from "./context.ts";

export const OPERATION_OUTCOME_MEDIA_TYPE = "application/fhir+json; charset=utf-8";
const PROBLEM_MEDIA_TYPE = "application/problem+json; charset=utf-8";

/**
 * Renders a refusal as an R4 OperationOutcome. Holds the fixed sentence, the code and the element names of the problem,
 * nothing of the request.
 *
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export function renderOperationOutcome(problem: Problem): object {
  return {
    resourceType: "OperationOutcome",
    issue: problem.issues?.map((issue) => renderIssue(problem, issue)) ?? [
      {
        severity: problem.status >= 500 ? "fatal" : "error",
        code: problem.issue,
        details: detailsOf(problem.code, problem),
        ...(problem.expression === undefined ? {} : { expression: problem.expression }),
      },
    ],
  };
}

/** The findings are an extension member, as RFC 9457 section 3.2 allows. */
function renderDetails({ detail, status, code, issues }: Problem): object {
  const findings = issues?.map((issue) => ({
    detail: issue.detail,
    ...(issue.expression === undefined ? {} : { expression: issue.expression }),
  }));
  return {
    type: "about:blank",
    title: detail,
    status,
    code,
    ...(findings === undefined ? {} : { issues: findings }),
  };
}

function renderIssue({ code }: Problem, issue: ProblemIssue): object {
  const { severity, expression } = issue;
  return {
    severity,
    code: issue.issue,
    details: detailsOf(code, issue),
    ...(expression === undefined ? {} : { expression: [expression] }),
  };
}

function detailsOf(code: string, { detail, outcomeCode }: Pick<ProblemIssue, "detail" | "outcomeCode">): object {
  const coding = [{ system: ERROR_CODES, code }];
  if (outcomeCode !== undefined) coding.push({ system: OUTCOME_CODES, code: outcomeCode });
  return { coding, text: detail };
}

const ERROR_CODES = "urn:wardline:error-code";
/** @see https://hl7.org/fhir/R4/valueset-operation-outcome.html */
const OUTCOME_CODES = "http://terminology.hl7.org/CodeSystem/operation-outcome";

export interface RenderedProblem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
function renderOAuthError({ status, detail, oauthError = oauthErrorOf(status) }: Problem): object {
  return { error: oauthError, error_description: detail };
}

/** RFC 6749 sections 4.1.2.1 and 5.2; an overload is temporary. */
function oauthErrorOf(status: number): string {
  if (status === 401) return "invalid_client";
  if (status === 403) return "access_denied";
  if (status === 429 || status > 500) return "temporarily_unavailable";
  return status === 500 ? "server_error" : "invalid_request";
}

const RENDERERS: Readonly<Record<RequestContext["media"], { type: string; render: (problem: Problem) => object }>> =
  Object.freeze({
    fhir: { type: OPERATION_OUTCOME_MEDIA_TYPE, render: renderOperationOutcome },
    json: { type: PROBLEM_MEDIA_TYPE, render: renderDetails },
    oauth: { type: "application/json; charset=utf-8", render: renderOAuthError },
  });

/**
 * OperationOutcome on FHIR routes, errors of RFC 6749 at endpoints of OAuth, problem details (RFC 9457) elsewhere; never
 * cached, always with the request id.
 */
export function renderProblem(problem: Problem, context: RequestContext): RenderedProblem {
  const { type, render } = RENDERERS[context.media];
  return {
    status: problem.status,
    headers: {
      "Content-Type": type,
      "Cache-Control": "no-store",
      "X-Request-Id": context.requestId,
      ...problem.headers,
    },
    body: Buffer.from(JSON.stringify(render(problem))),
  };
}
