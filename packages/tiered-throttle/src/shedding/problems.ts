import type { Problem } from "@wardline/policy-types";

/** Load is measured anew several times a second, so a second is enough to wait. */
export function loadShed(): Problem {
  return LOAD_SHED;
}

const LOAD_SHED: Problem = Object.freeze({
  code: "tiered-throttle/load-shed",
  status: 503,
  issue: "transient",
  detail: "The server is overloaded and answers more urgent requests first; wait as long as Retry-After says.",
  headers: Object.freeze({ "Retry-After": "1" }),
});
