import type { Problem } from "@wardline/policy-types";
import type { Failure } from "./job.ts";

export const JOB_UNKNOWN: Problem = Object.freeze({
  code: "tiered-throttle/async-unknown",
  status: 404,
  issue: "not-found",
  detail: "There is no such job.",
});
export const CALLER_UNKNOWN: Problem = Object.freeze({
  code: "tiered-throttle/async-caller-unknown",
  status: 403,
  issue: "forbidden",
  detail: "A long operation is started only for a caller who is known.",
});
export const BODY_UNSUPPORTED: Problem = Object.freeze({
  code: "tiered-throttle/async-body-unsupported",
  status: 415,
  issue: "not-supported",
  detail: "A long operation takes its parameters in the URL or as JSON.",
});
const TOO_SOON = Object.freeze({
  code: "tiered-throttle/async-too-soon",
  status: 429,
  issue: "throttled",
  detail: "The job's status was asked for too early; wait as long as Retry-After says.",
} as const);
const TOO_MANY = Object.freeze({
  code: "tiered-throttle/async-too-many",
  status: 429,
  issue: "throttled",
  detail: "Too many long operations of the same organisation wait or run; wait until one of them has ended.",
} as const);
const QUEUE_FULL = Object.freeze({
  code: "tiered-throttle/async-queue-full",
  status: 503,
  issue: "transient",
  detail: "Too many long operations wait already; ask again when Retry-After says.",
} as const);
const STORAGE_FULL = Object.freeze({
  code: "tiered-throttle/async-storage-full",
  status: 503,
  issue: "transient",
  detail: "There is no room for further results; ask again when Retry-After says.",
} as const);
const UNAVAILABLE = Object.freeze({
  code: "tiered-throttle/async-unavailable",
  status: 503,
  issue: "transient",
  detail: "Long operations can be neither started nor looked up at the moment.",
} as const);

function after(problem: Problem, seconds: number): Problem {
  return { ...problem, headers: { "Retry-After": String(seconds) } };
}

export const tooSoon = (seconds: number): Problem => after(TOO_SOON, seconds);
export const tooMany = (seconds: number): Problem => after(TOO_MANY, seconds);
export const queueFull = (seconds: number): Problem => after(QUEUE_FULL, seconds);
export const storageFull = (seconds: number): Problem => after(STORAGE_FULL, seconds);
export const asyncUnavailable = (): Problem => after(UNAVAILABLE, 5);

/** What the status of a failed job answers. R4 async.html: an error status and an OperationOutcome. */
export const JOB_FAILED: Readonly<Record<Failure, Problem>> = Object.freeze({
  failed: {
    code: "tiered-throttle/async-failed",
    status: 500,
    issue: "exception",
    detail: "The long operation failed.",
  },
  "too-large": {
    code: "tiered-throttle/async-too-large",
    status: 422,
    issue: "too-costly",
    detail: "The long operation gave more data than can be kept; ask for less at once.",
  },
  "too-slow": {
    code: "tiered-throttle/async-too-slow",
    status: 504,
    issue: "timeout",
    detail: "The long operation took longer than it may; ask for less at once.",
  },
  lost: {
    code: "tiered-throttle/async-lost",
    status: 500,
    issue: "incomplete",
    detail: "The long operation was interrupted twice; start it again.",
  },
});
