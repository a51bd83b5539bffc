import type { IncomingMessage } from "node:http";
import type { AccessRecord, Decision } from "@wardline/policy-types";
import { afterAnswer, closing, contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { classesOf, dearest } from "./classes/classify.ts";
import type { RateGrant } from "./decide.ts";
import { openDoor } from "./door.ts";
import { type DoorThrottleOptions, parseDoor } from "./door-options.ts";
import { type ParsedThrottle, parseThrottle, type TieredThrottleOptions } from "./options.ts";
import { openHold } from "./pools/hold.ts";
import { proxyWarning } from "./proxy-warning.ts";
import { createThrottle, type LiveTier, NO_SLOT, type ThrottleSnapshot } from "./throttle.ts";
import type { RequestFacts } from "./tiers.ts";

/** The middleware, and what it can tell the console. */
export interface TieredThrottle extends RequestHandler {
  readonly snapshot: () => ThrottleSnapshot;
}

/**
 * Limits how much each caller may ask per window and per contract, and how much at once. Requires an authenticated caller and
 * an interaction in the request context to charge anything but addresses and tell anything but ordinary requests: mount it
 * after smartAuth().
 *
 * Does NOT smooth a window: a caller may spend one quota at the end of a window and the next at the start of the following.
 * Does NOT share the concurrency count between processes.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function tieredThrottle(options: TieredThrottleOptions): TieredThrottle {
  const parsed = parseThrottle(options);
  const throttle = createThrottle(parsed);
  const warnOfProxy = proxyWarning();
  const countsAddresses = parsed.tiers.some(({ limits }) => limits.some(({ by }) => by === "address"));

  function tieredThrottleMiddleware(req: Request, res: Response, next: () => void): void | Promise<void> {
    // Nobody is left to answer, and no end of an answer will come to return the slot.
    if (res.destroyed) return;
    const facts = factsOf(req, parsed);
    if (countsAddresses || facts.principal === undefined) warnOfProxy(req, facts.address);
    const tier = throttle.tierFor(facts);
    const verdict = takeSlot(req, res, tier, facts) ? tier.count(facts) : NO_SLOT;
    if (!(verdict instanceof Promise)) {
      tier.tell(verdict, facts);
      return conclude(req, res, "tiered-throttle", verdict.decision, next);
    }
    return verdict.then((late) => {
      if (res.destroyed || res.headersSent) return;
      tier.tell(late, facts);
      conclude(req, res, "tiered-throttle", late.decision, next);
    });
  }
  return Object.assign(closing(tieredThrottleMiddleware), { snapshot: throttle.snapshot });
}

/** False: none is free. */
function takeSlot(req: Request, res: Response, tier: LiveTier, facts: RequestFacts): boolean {
  if (tier.takeSlot === undefined) return true;
  const release = tier.takeSlot(facts);
  if (release === undefined) return false;
  // F13: whatever ends the answer or its connection returns the slot, unless work that outlives them holds it.
  afterAnswer(res, openHold(req, release));
  return true;
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
  const parsed = parseDoor(options);
  const door = openDoor(parsed);
  const warnOfProxy = proxyWarning();

  return closing(function doorThrottleMiddleware(req, res, next) {
    const address = parsed.addressOf(req);
    warnOfProxy(req, address);
    if (parsed.failures !== undefined) {
      afterAnswer(res, (record) => {
        if (failedToAuthenticate(record)) door.failed(address);
      });
    }
    conclude(req, res, "tiered-throttle-door", door.decide(address), next);
  });
}

/** RFC 9110 section 15.5.2: 401 says that credentials were missing or not accepted, whoever says so. */
function failedToAuthenticate({ status }: AccessRecord): boolean {
  return status === 401;
}

function factsOf(req: IncomingMessage, { addressOf, classes: bounds, weightOf }: ParsedThrottle): RequestFacts {
  const { principal, zone, apiType, interaction, grant } = contextOf(req);
  const address = addressOf(req);
  const classes = interaction === undefined ? ORDINARY : classesOf(interaction, grant, bounds);
  return {
    principal,
    address,
    zone,
    apiType,
    interaction,
    grant,
    classes,
    weight: weightOf(req),
    operationClass: dearest(classes),
  };
}

const ORDINARY = ["ordinary"] as const;

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
  const { headers } = decision.grant;
  for (const name in headers) res.setHeader(name, headers[name] as string);
  next();
}
