import type { Problem } from "@wardline/policy-types";

/** The caller's own excess. The connection is closed with the answer, so that it does not count against anybody. */
export function connectionsExceeded(): Problem {
  return CONNECTIONS_EXCEEDED;
}

const CONNECTIONS_EXCEEDED: Problem = Object.freeze({
  code: "tiered-throttle/connections-exceeded",
  status: 429,
  issue: "throttled",
  detail: "This client has too many connections open; use those it has, or close some.",
  headers: Object.freeze({ "Retry-After": "1", Connection: "close" }),
});
