import type { WindowPolicy } from "@wardline/policy-types";
import type { WindowOwner } from "./keys.ts";
import { type Calendar, createCalendar } from "./quota/calendar.ts";
import type { QuotaPolicy } from "./quota/policy.ts";

/** `limit` requests per `windowSeconds`, as in a policy document, for departments too. */
export interface ThrottleWindow extends Omit<WindowPolicy, "by"> {
  readonly by: WindowOwner;
}

interface CommonLimit {
  readonly name: string;
  readonly by: WindowOwner;
  readonly limit: number;
}

/** A window from its first request on, or a period of a calendar. */
export type Limit =
  | (CommonLimit & { readonly kind: "window"; readonly windowMs: number })
  | (CommonLimit & { readonly kind: "quota"; readonly calendar: Calendar; readonly carry: number });

export function limitOfWindow({ name, by, limit, windowSeconds }: ThrottleWindow): Limit {
  return { kind: "window", name, by, limit, windowMs: windowSeconds * 1000 };
}

export function limitOfQuota({
  name,
  limit,
  per,
  by = "organisation",
  timeZone = "UTC",
  carry = 0,
}: QuotaPolicy): Limit {
  return { kind: "quota", name, by, limit, carry, calendar: createCalendar(per, timeZone) };
}

/** Where one limit stands for one owner, after the request was judged. */
export interface LimitCount {
  /** What this window or period allows in all, what was carried into it included. */
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds since the epoch at which the whole limit is there again. */
  readonly resetAt: number;
  readonly lengthMs: number;
}

/** `admitted` false: nothing was charged, to any limit. */
export interface Taken {
  readonly admitted: boolean;
  /** In the order of the limits. */
  readonly counts: readonly LimitCount[];
  /** The limits that had no room, by index. Empty when admitted. */
  readonly full: readonly number[];
}

/** What a request takes from a limit. One that costs more than a whole window takes the whole window: it can still be answered. */
export function costFor(limit: number, cost: number): number {
  return Math.min(limit, cost);
}
