import type { Decision, Principal } from "@wardline/policy-types";
import type { RequestContext, RequestTarget } from "@wardline/policy-types/express";
import { asFailure } from "@wardline/policy-types/express";
import type { NextFunction, Request, Response } from "express";
import type { AuthorityFacts } from "../authority.ts";
import type { JobRequest } from "../export/job.ts";
import type { Later } from "../later.ts";
import type { AskedPage } from "../links/pages.ts";
import type { Asked } from "../request.ts";
import type { Conclusions } from "./conclude.ts";

/** A request on its way to a decision, by what each step has found out. */
export interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly context: RequestContext;
  readonly target: RequestTarget;
}

export interface Identified extends Exchange {
  readonly caller: Principal;
  /** Asked of an export job, and of no resource. */
  readonly job: JobRequest | undefined;
}

export interface Question extends Omit<Identified, "caller"> {
  readonly asked: Asked;
  /** What the caller's rights were found by. */
  readonly authority: AuthorityFacts;
  /** The page of a search that was asked for by its sealed link. */
  readonly page?: AskedPage;
}

/** One step: true when the request goes on. */
export type Step<Known extends Exchange, Value> = (known: Known, granted: Value) => Later<boolean>;

/** Takes the next step with what was permitted; a refusal ends the request. */
export type Proceed = <Known extends Exchange, Value extends object>(
  known: Known,
  decision: Later<Decision<Value>>,
  step: Step<Known, Value>,
) => Later<boolean>;

export function createProceeding({ conclude }: Conclusions): Proceed {
  const proceed: Proceed = (known, decision, step) => {
    if (decision instanceof Promise) return proceedLater(known, decision, step);
    return decision.kind === "deny" ? conclude(known.req, known.res, decision) : step(known, decision.grant);
  };
  function proceedLater<Known extends Exchange, Value extends object>(
    known: Known,
    decision: Promise<Decision<Value>>,
    step: Step<Known, Value>,
  ): Promise<boolean> {
    return decision.then((late) => proceed(known, late, step));
  }
  return proceed;
}

/**
 * Goes on when the decision is known; a little later also when it is known already, so that requests that came together
 * take each step together, while its code is in the processor's caches.
 */
export function goOn(decided: Later<boolean>, onward: NextFunction): Promise<void> | undefined {
  if (decided === false) return undefined;
  return decided === true ? SETTLED.then(() => onward()) : goOnLater(decided, onward);
}

const SETTLED: Promise<void> = Promise.resolve();

async function goOnLater(decided: Promise<boolean>, next: NextFunction): Promise<void> {
  let goesOn: boolean;
  try {
    goesOn = await decided;
  } catch (error) {
    // Express 4 does not carry a rejection to the error handler.
    next(asFailure(error));
    return;
  }
  if (goesOn) next();
}
