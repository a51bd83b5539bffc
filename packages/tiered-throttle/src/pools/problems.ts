import type { Problem } from "@wardline/policy-types";
import type { SlotRefusal } from "./pools.ts";

const POOL_FULL = Object.freeze({
  code: "tiered-throttle/pool-full",
  status: 503,
  issue: "transient",
  detail: "The server answers as many requests of this kind as it can; wait as long as Retry-After says.",
} as const);
const WAIT_EXPIRED = Object.freeze({
  code: "tiered-throttle/wait-expired",
  status: 503,
  issue: "transient",
  detail: "The request waited for its turn as long as it may; wait as long as Retry-After says.",
} as const);
const POOL_RATE_EXCEEDED = Object.freeze({
  code: "tiered-throttle/pool-rate-exceeded",
  status: 503,
  issue: "transient",
  detail: "The server gets more requests of this kind than it can take; wait as long as Retry-After says.",
} as const);
const SLOT_RECALLED = Object.freeze({
  code: "tiered-throttle/slot-recalled",
  status: 503,
  issue: "transient",
  detail: "The request ran on spare capacity that is needed elsewhere now; wait as long as Retry-After says.",
} as const);
const POOL_UNKNOWN: Problem = Object.freeze({
  code: "tiered-throttle/pool-unknown",
  status: 500,
  issue: "exception",
  detail: "The server cannot tell which of its reserves this request belongs to.",
});

export function noSlot(why: SlotRefusal, seconds: number): Problem {
  return { ...(why === "waited" ? WAIT_EXPIRED : POOL_FULL), headers: retryAfter(seconds) };
}

export function poolRateExceeded(retryMs: number): Problem {
  return { ...POOL_RATE_EXCEEDED, headers: retryAfter(Math.ceil(retryMs / 1000)) };
}

export function slotRecalled(seconds: number): Problem {
  return { ...SLOT_RECALLED, headers: retryAfter(seconds) };
}

export function poolUnknown(): Problem {
  return POOL_UNKNOWN;
}

/** RFC 9110 section 10.2.3. */
function retryAfter(seconds: number): Readonly<Record<string, string>> {
  return { "Retry-After": String(Math.max(1, seconds)) };
}
