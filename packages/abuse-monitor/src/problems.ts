import type { Problem } from "@wardline/policy-types";

/** Says neither what was seen nor for how long: who is blocked for good reason would use it. */
export const CALLER_BLOCKED: Problem = Object.freeze({
  code: "abuse-monitor/caller-blocked",
  status: 403,
  issue: "forbidden",
  detail: "Requests of this caller are refused for a time; ask the operator of this server.",
});

export interface StepUpOptions {
  /** Authentication contexts of which one must be reached, in order of preference. Default none. */
  readonly acrValues?: readonly string[];
  /** Oldest authentication that is good enough, in seconds. Default 300. */
  readonly maxAgeSeconds?: number;
}

/**
 * The caller has to authenticate again, or better.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9470#section-3
 */
export function stepUpRequired(
  { acrValues = [], maxAgeSeconds = 300 }: StepUpOptions,
  scheme: "Bearer" | "DPoP",
): Problem {
  const parameters = [
    'error="insufficient_user_authentication"',
    'error_description="A different or more recent authentication is required"',
    ...(acrValues.length === 0 ? [] : [`acr_values="${acrValues.join(" ")}"`]),
    `max_age=${maxAgeSeconds}`,
  ];
  return Object.freeze({
    code: "abuse-monitor/step-up-required",
    status: 401,
    issue: "login",
    detail: "The user has to authenticate again before this request is answered.",
    headers: Object.freeze({ "WWW-Authenticate": `${scheme} ${parameters.join(", ")}` }),
  });
}
