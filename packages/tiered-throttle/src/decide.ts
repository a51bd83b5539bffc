import { type Decision, deny, permit, type WindowPolicy } from "@wardline/policy-types";
import type { Taken, WindowCount } from "./counters.ts";
import type { Counted } from "./failover.ts";
import { rateExceeded, storeUnavailable } from "./problems.ts";
import { renderRateLimit, renderRateLimitPolicy, secondsUntil } from "./rate-fields.ts";

/** Headers of the answer to a request that was let through. */
export interface RateGrant {
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Turns what the counters say into a decision. The window that binds most is the one the client is told about: on a
 * refusal the full window that reopens last, otherwise the one with the least left.
 *
 * Does NOT count; see `LocalCounters`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-4
 */
export function decideRate(windows: readonly WindowPolicy[], taken: Taken, now: number): Decision<RateGrant> {
  const { window, count } = mostRestrictive(windows, taken.counts);
  const headers = {
    "RateLimit-Policy": renderRateLimitPolicy(windows),
    RateLimit: renderRateLimit(window, count, now),
  };
  if (taken.admitted) return permit({ headers }, [`within ${windows.map(({ name }) => name).join(", ")}`]);
  // RFC 9110 section 10.2.3, and not earlier than `t`: a client that obeys either is not refused again.
  const retryAfter = { "Retry-After": String(secondsUntil(count, now)) };
  return deny(rateExceeded({ ...headers, ...retryAfter }), [`window ${window.name} is full`]);
}

/** As `decideRate`, for counters that may have failed: what was not counted is not let through. */
export function decideCount(
  tier: {
    readonly windows: readonly WindowPolicy[];
    readonly storeRetrySeconds: number;
    readonly now: () => number;
  },
  counted: Counted,
  notes: readonly string[],
): Decision<RateGrant> {
  if (counted.kind === "down") return deny(storeUnavailable(tier.storeRetrySeconds), ["counter store down", ...notes]);
  const decision = decideRate(tier.windows, counted.taken, tier.now());
  const fallback = counted.by === "fallback" ? ["counter store down: counted in this process"] : [];
  return { ...decision, because: [...decision.because, ...fallback, ...notes] };
}

interface Standing {
  readonly window: WindowPolicy;
  readonly count: WindowCount;
}

function mostRestrictive(windows: readonly WindowPolicy[], counts: readonly WindowCount[]): Standing {
  const standings = windows.map((window, index): Standing => ({ window, count: counts[index] as WindowCount }));
  return standings.reduce((most, one) => (bindsMore(one.count, most.count) ? one : most));
}

function bindsMore(a: WindowCount, b: WindowCount): boolean {
  return a.remaining === b.remaining ? a.resetAt > b.resetAt : a.remaining < b.remaining;
}
