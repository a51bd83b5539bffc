import type { IncomingMessage } from "node:http";
import { type Decision, deny, permit, type WindowPolicy } from "@wardline/policy-types";
import { afterAnswer, contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { LocalCounters } from "./counters.ts";
import { countingOf, sizeOf } from "./counting.ts";
import { decideCount, decideRate, type RateGrant } from "./decide.ts";
import { type Caller, hashKey, keysOf, partitionOf } from "./keys.ts";
import {
  type CountingOptions,
  type DoorThrottleOptions,
  parseDoor,
  parseTier,
  type TieredThrottleOptions,
} from "./options.ts";
import { concurrencyExceeded } from "./problems.ts";
import { Slots } from "./slots.ts";

/**
 * Limits how much each caller may ask per window, and how much at once. Requires an authenticated caller in the request
 * context to charge anything but addresses: mount it after smartAuth().
 *
 * Does NOT smooth a window: a caller may spend one quota at the end of a window and the next at the start of the following.
 * Does NOT share the concurrency count between processes.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function tieredThrottle(options: TieredThrottleOptions): RequestHandler {
  const tier = parseTier(options);
  const count = countingOf(tier);
  const slots = tier.concurrency === undefined ? undefined : new Slots(tier.concurrency);

  return function tieredThrottleMiddleware(req, res, next) {
    // Nobody is left to answer, and no end of an answer will come to return the slot.
    if (res.destroyed) return;
    const caller = callerOf(req, tier);
    if (slots !== undefined) {
      const release = slots.take(hashKey(partitionOf("client", caller, tier.ipv6Prefix).parts));
      if (release === undefined) return finish(deny(concurrencyExceeded(), ["no free slot"]));
      // F13: whatever ends the answer or its connection returns the slot.
      afterAnswer(res, release);
    }

    const { keys, because } = keysOf(tier, caller);
    const counted = count(keys);
    if (!(counted instanceof Promise)) return finish(decideCount(tier, counted, because));
    void counted.then((late) => {
      if (!res.destroyed && !res.headersSent) finish(decideCount(tier, late, because));
    });

    function finish(decision: Decision<RateGrant>): void {
      conclude(req, res, "tiered-throttle", decision, next);
    }
  };
}

/**
 * Limits requests per address before anything expensive is done for them (S5): IPv6 by prefix, IPv4-mapped IPv6 as IPv4.
 * Mount it after perimeter() and before smartAuth(). Tells a stranger its limits on a refusal only.
 *
 * Does NOT know callers: those behind one address share its quota, so it is meant to be generous.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function doorThrottle(options: DoorThrottleOptions): RequestHandler {
  const door = parseDoor(options);
  const { limit, windowSeconds } = door;
  const windows: readonly WindowPolicy[] = [{ name: "door", limit, windowSeconds, by: "address" }];
  const counters = new LocalCounters(windows.map(sizeOf), door.maxKeys);

  return function doorThrottleMiddleware(req, res, next) {
    const { parts } = partitionOf("address", callerOf(req, door), door.ipv6Prefix);
    const now = door.now();
    const decision = decideRate(windows, counters.take([hashKey(parts)], now), now);
    const discreet = decision.kind === "deny" ? decision : permit({ headers: {} }, decision.because);
    conclude(req, res, "tiered-throttle-door", discreet, next);
  };
}

function callerOf(req: IncomingMessage, { addressOf }: Required<CountingOptions>): Caller {
  return { principal: contextOf(req).principal, address: addressOf(req) };
}

function conclude(
  req: Request,
  res: Response,
  control: "tiered-throttle" | "tiered-throttle-door",
  decision: Decision<RateGrant>,
  next: () => void,
): void {
  const { kind, because } = decision;
  if (decision.kind === "deny") {
    recordDecision(req, { control, kind, because, code: decision.problem.code });
    return sendProblem(res, decision.problem);
  }
  recordDecision(req, { control, kind, because });
  res.set(decision.grant.headers);
  next();
}
