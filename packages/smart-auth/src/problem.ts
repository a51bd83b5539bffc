import type { IssueType, Problem } from "@wardline/policy-types";

/** A refusal of this package, frozen. */
export function problem(
  name: string,
  status: number,
  issue: IssueType,
  detail: string,
  headers?: Problem["headers"],
): Problem {
  return Object.freeze({
    code: `smart-auth/${name}`,
    status,
    issue,
    detail,
    ...(headers === undefined ? {} : { headers: Object.freeze(headers) }),
  });
}
