import type { ServerResponse } from "node:http";
import type { AccessRecord } from "../access-record.ts";
import type { Problem } from "../decision.ts";
import { Answer } from "./answer.ts";
import { contextOf } from "./context.ts";
import { ANSWER_KEY, type Carrier, hook } from "./hooks.ts";
import { giveOneShape } from "./one-shape.ts";
import type { Gate, Settle } from "./outlet.ts";
import { type BodyTransform, TRANSFORM_STAGES } from "./transform.ts";

/** Registers a judge of this answer's body. The handler's answer is then held until it has been judged. */
export function addTransform(res: ServerResponse, transform: BodyTransform): void {
  const { transforms } = contextOf(res.req);
  // Behind those of its own stage; nearly always that is the end.
  let at = transforms.length;
  while (at > 0 && orderOf(transforms[at - 1] as BodyTransform) > orderOf(transform)) at -= 1;
  transforms.splice(at, 0, transform);
  answerOf(res).judge();
}

/** Holds this answer until `gate` has settled: for a durable audit record, which must exist before PHI leaves (F9). */
export function beforeAnswer(res: ServerResponse, gate: Gate): void {
  answerOf(res).outlet.gates.push(gate);
}

/**
 * Calls `settle` when the head is about to be sent, after everything the handler and the judges have set: what it sets or
 * removes is what leaves.
 */
export function beforeHead(res: ServerResponse, settle: Settle): void {
  answerOf(res).outlet.settlers.push(settle);
}

/** Calls `listener` exactly once, when the answer has ended or its connection has closed. */
export function afterAnswer(res: ServerResponse, listener: (record: AccessRecord) => void): void {
  answerOf(res).outlet.listeners.push(listener);
}

/**
 * Ends the request with a refusal: an OperationOutcome on FHIR routes, problem details elsewhere. It passes the gates and
 * is not judged; what the handler had prepared is discarded. Once part of an answer has been sent, the connection is cut
 * instead: a truncated answer must not look like a whole one.
 */
export function sendProblem(res: ServerResponse, problem: Problem): void {
  answerOf(res).refuse(problem);
}

function orderOf({ stage }: BodyTransform): number {
  return TRANSFORM_STAGES.indexOf(stage);
}

/** The answer of a response; hooks the response's ways out when it is not hooked yet. */
function answerOf(res: ServerResponse): Answer {
  const carrier = res as Carrier<Answer>;
  const existing = carrier[ANSWER_KEY];
  if (existing !== undefined) return existing;
  giveOneShape(carrier);
  const answer = new Answer(carrier);
  hook(carrier, answer);
  return answer;
}
