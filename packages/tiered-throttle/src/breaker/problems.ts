import type { Problem } from "@wardline/policy-types";

const BREAKER_OPEN = Object.freeze({
  code: "tiered-throttle/breaker-open",
  status: 503,
  issue: "transient",
  detail: "The system that holds the data is not well at the moment; wait as long as Retry-After says.",
} as const);
const UPSTREAM_FULL: Problem = Object.freeze({
  code: "tiered-throttle/upstream-full",
  status: 503,
  issue: "transient",
  detail: "The system that holds the data answers as many requests as it may; wait as long as Retry-After says.",
  headers: Object.freeze({ "Retry-After": "1" }),
});
const UPSTREAM_TIMEOUT: Problem = Object.freeze({
  code: "tiered-throttle/upstream-timeout",
  status: 504,
  issue: "timeout",
  detail: "The system that holds the data did not answer in time.",
});

/** RFC 9110 section 10.2.3: not earlier than a call is tried again. */
export function breakerOpen(remainingMs: number): Problem {
  return { ...BREAKER_OPEN, headers: { "Retry-After": String(Math.max(1, Math.ceil(remainingMs / 1000))) } };
}

export function upstreamFull(): Problem {
  return UPSTREAM_FULL;
}

export function upstreamTimeout(): Problem {
  return UPSTREAM_TIMEOUT;
}
