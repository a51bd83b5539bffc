import type { JsonObject } from "../resource.ts";
import { isObject } from "../resource.ts";

const SEVERITIES: ReadonlySet<string> = new Set(["fatal", "error", "warning", "information"]);
const ISSUE_TYPE = /^[a-z]{1,20}(?:-[a-z]{1,20}){0,2}$/;

/**
 * An OperationOutcome without the server's own words, which may name people and what is hidden (S15): severity and code
 * of each issue are kept.
 */
export function bareOutcome(outcome: JsonObject): JsonObject {
  const issues = Array.isArray(outcome["issue"]) ? outcome["issue"] : [];
  const bare = issues.filter(isObject).map(({ severity, code }) => ({
    severity: typeof severity === "string" && SEVERITIES.has(severity) ? severity : "error",
    code: typeof code === "string" && ISSUE_TYPE.test(code) ? code : "processing",
  }));
  return {
    resourceType: "OperationOutcome",
    issue: bare.length > 0 ? bare : [{ severity: "error", code: "processing" }],
  };
}
