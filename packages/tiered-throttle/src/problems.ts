import type { Problem } from "@wardline/policy-types";

const RATE_EXCEEDED = Object.freeze({
  code: "tiered-throttle/rate-exceeded",
  status: 429,
  issue: "throttled",
  detail: "There were too many requests; wait as long as Retry-After says.",
} as const);
const QUOTA_EXCEEDED = Object.freeze({
  code: "tiered-throttle/quota-exceeded",
  status: 429,
  issue: "throttled",
  detail: "The quota agreed for this period is used up; it is renewed when Retry-After says.",
} as const);
const CONCURRENCY_EXCEEDED = Object.freeze({
  code: "tiered-throttle/concurrency-exceeded",
  status: 429,
  issue: "throttled",
  detail: "Too many requests are being answered at once; wait until one of them has ended.",
} as const);
const AUTHENTICATION_FAILURES = Object.freeze({
  code: "tiered-throttle/authentication-failures",
  status: 429,
  issue: "throttled",
  detail: "There were too many failed attempts to authenticate; wait as long as Retry-After says.",
} as const);
const STORE_UNAVAILABLE = Object.freeze({
  code: "tiered-throttle/store-unavailable",
  status: 503,
  issue: "transient",
  detail: "Requests cannot be counted at the moment, so none is let through.",
} as const);

type Headers = Readonly<Record<string, string>>;

export function rateExceeded(headers: Headers): Problem {
  return { ...RATE_EXCEEDED, headers };
}

export function quotaExceeded(headers: Headers): Problem {
  return { ...QUOTA_EXCEEDED, headers };
}

export function authenticationFailures(headers: Headers): Problem {
  return { ...AUTHENTICATION_FAILURES, headers };
}

/** How long a running request will take is not known; a second is the shortest wait Retry-After can say. */
export function concurrencyExceeded(): Problem {
  return { ...CONCURRENCY_EXCEEDED, headers: { "Retry-After": "1" } };
}

export function storeUnavailable(retrySeconds: number): Problem {
  return { ...STORE_UNAVAILABLE, headers: { "Retry-After": String(retrySeconds) } };
}
