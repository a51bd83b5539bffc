import type { WindowPolicy } from "@wardline/policy-types";
import type { WindowCount } from "./counters.ts";

/**
 * `RateLimit-Policy`: a structured-field List of Strings with a quota and a window in seconds. Constant for a tier.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10#section-3
 */
export function renderRateLimitPolicy(windows: readonly WindowPolicy[]): string {
  return windows.map(({ name, limit, windowSeconds }) => `"${name}";q=${limit};w=${windowSeconds}`).join(", ");
}

/** `RateLimit`: what is left of one policy, and in how many seconds all of it is back. */
export function renderRateLimit({ name }: WindowPolicy, count: WindowCount, now: number): string {
  return `"${name}";r=${count.remaining};t=${secondsUntil(count, now)}`;
}

/** Rounded up, so that a client that waits as told is not too early; at least one. */
export function secondsUntil({ resetAt }: WindowCount, now: number): number {
  return Math.max(1, Math.ceil((resetAt - now) / 1000));
}
