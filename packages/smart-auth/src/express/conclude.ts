import { type Decision, deny, type Grant, type Problem } from "@wardline/policy-types";
import { contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import { breakGlassEvent, type GlassAttempt } from "../break-glass/event.ts";
import type { OnRefusal } from "../guard/answer.ts";
import type { SmartAuthSettings } from "../settings.ts";

const CONTROL = "smart-auth";

/** Where every decision of one middleware ends. */
export interface Conclusions {
  /** Records the decision, tells the listener, and sends the refusal if it is one. True: the request goes on. */
  readonly conclude: (req: Request, res: Response, decision: Decision<Grant>) => boolean;
  /** Records what the guard refuses of an answer. */
  readonly refusalOf: (req: Request) => OnRefusal;
  /** The request declared an emergency: whatever becomes of it is told as one. */
  readonly declarationOf: (req: Request) => (attempt: GlassAttempt) => void;
}

export function createConclusions({ onBreakGlass, onDecision, now }: SmartAuthSettings): Conclusions {
  const emergencies = new WeakMap<Request, GlassAttempt>();

  function record(req: Request, decision: Decision<Grant>): void {
    const { kind } = decision;
    const code = decision.kind === "deny" ? decision.problem.code : undefined;
    const emergency = emergencies.get(req);
    const isBroken = emergency?.kind === "broken";
    const because = isBroken ? ["break-glass", ...decision.because] : decision.because;
    if (emergency !== undefined) onBreakGlass(breakGlassEvent(contextOf(req), emergency, kind, now()));
    recordDecision(
      req,
      code === undefined ? { control: CONTROL, kind, because } : { control: CONTROL, kind, because, code },
    );
    onDecision(isBroken ? { ...decision, because } : decision, req);
  }

  return {
    conclude(req, res, decision) {
      record(req, decision);
      if (decision.kind === "permit") {
        contextOf(req).grant = decision.grant;
        return true;
      }
      sendProblem(res, decision.problem);
      return false;
    },
    refusalOf: (req) => (problem: Problem, because: string) => record(req, deny(problem, [`answer: ${because}`])),
    declarationOf: (req) => (attempt) => void emergencies.set(req, attempt),
  };
}
