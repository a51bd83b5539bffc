import { type AnswerFacts, type BodyTransform, type BodyVerdict, KEEP } from "@wardline/policy-types/express";
import type { SchemaIssue } from "../issues.ts";
import { ruleFor } from "./decide.ts";
import type { ContentRule, Operation } from "./operations.ts";
import type { OpenApiReport } from "./options.ts";
import { OPERATION_RESPONSE } from "./problems.ts";

/**
 * Judges an answer against what its operation declares: status, media type, and a JSON body by its schema.
 *
 * Does NOT judge headers, bodies that are not JSON, or the lines of NDJSON.
 */
export function answerJudge(
  operation: Operation,
  mode: "report" | "refuse",
  {
    onReport,
    requestId,
    head,
  }: {
    readonly onReport: (report: OpenApiReport) => void;
    readonly requestId: string;
    /** A HEAD has the answer of GET without its body. */
    readonly head: boolean;
  },
): BodyTransform {
  const verdict = (answer: AnswerFacts, issue: SchemaIssue | undefined): BodyVerdict => {
    if (issue === undefined) return KEEP;
    tell(onReport, { operation: operation.name, status: answer.status, requestId, issues: [issue] });
    return mode === "report" ? KEEP : { kind: "refuse", problem: OPERATION_RESPONSE };
  };
  return {
    name: "fhir-schema/operation",
    stage: "guard",
    json: (body, answer) => verdict(answer, findFault(operation, answer, body)),
    opaque: (answer) => verdict(answer, findHeadFault(operation, answer)),
    empty: (answer) => verdict(answer, findEmptyFault(operation, answer, head)),
  };
}

/** Whether an answer is sent does not hang on who listens. */
function tell(onReport: (report: OpenApiReport) => void, report: OpenApiReport): void {
  try {
    onReport(Object.freeze(report));
  } catch {
    process.emitWarning("the onReport of openApiRoutes threw", { code: "WARDLINE_REPORT_FAILED" });
  }
}

function findFault(operation: Operation, answer: AnswerFacts, body: unknown): SchemaIssue | undefined {
  const headFault = findHeadFault(operation, answer);
  if (headFault !== undefined || answer.unit === "line") return headFault;
  const rule = responseFor(operation, answer.status);
  const fault = rule === undefined ? undefined : ruleFor(rule, answer.mediaType)?.validate?.(body);
  return fault === undefined ? undefined : issue("structure", "The body is not as declared.", fault.schemaPath);
}

function findHeadFault(operation: Operation, { status, mediaType }: AnswerFacts): SchemaIssue | undefined {
  const rule = responseFor(operation, status);
  if (rule === undefined) return issue("not-supported", "The status is not declared.");
  return ruleFor(rule, mediaType) === undefined ? issue("not-supported", "The media type is not declared.") : undefined;
}

function findEmptyFault(operation: Operation, { status }: AnswerFacts, head: boolean): SchemaIssue | undefined {
  const rule = responseFor(operation, status);
  if (rule === undefined) return issue("not-supported", "The status is not declared.");
  const mayBeEmpty = head || status === 204 || status === 304 || rule.content.size === 0;
  return mayBeEmpty ? undefined : issue("required", "The declared body is missing.");
}

/** @see https://spec.openapis.org/oas/v3.1.1.html#responses-object */
function responseFor({ responses }: Operation, status: number): ContentRule | undefined {
  return responses.get(String(status)) ?? responses.get(`${Math.floor(status / 100)}XX`) ?? responses.get("default");
}

function issue(type: SchemaIssue["issue"], detail: string, expression?: string): SchemaIssue {
  return Object.freeze({ severity: "error", issue: type, detail, ...(expression === undefined ? {} : { expression }) });
}
