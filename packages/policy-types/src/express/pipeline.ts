import type { ServerResponse } from "node:http";
import type { AccessRecord } from "../access-record.ts";
import type { Problem } from "../decision.ts";
import { Answer, type HookedResponse } from "./answer.ts";
import { contextOf } from "./context.ts";
import type { Gate } from "./outlet.ts";
import { type BodyTransform, TRANSFORM_STAGES } from "./transform.ts";

/** Registers a judge of this answer's body. The handler's answer is then held until it has been judged. */
export function addTransform(res: ServerResponse, transform: BodyTransform): void {
  const { transforms } = contextOf(res.req);
  transforms.push(transform);
  if (transforms.length > 1) {
    transforms.sort((a, b) => TRANSFORM_STAGES.indexOf(a.stage) - TRANSFORM_STAGES.indexOf(b.stage));
  }
  answerOf(res).judge();
}

/** Holds this answer until `gate` has settled: for a durable audit record, which must exist before PHI leaves (F9). */
export function beforeAnswer(res: ServerResponse, gate: Gate): void {
  answerOf(res).outlet.gates.push(gate);
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

/** `Symbol.for`, so that two installed copies of this package hook a response once. */
const ANSWER_KEY: unique symbol = Symbol.for("@wardline/answer/1") as never;
type Carrier = HookedResponse & { [ANSWER_KEY]?: Answer };

/** The answer of a response; hooks the response's ways out when it is not hooked yet. */
function answerOf(res: ServerResponse): Answer {
  const carrier = res as Carrier;
  const existing = carrier[ANSWER_KEY];
  if (existing !== undefined) return existing;

  const answer = new Answer(carrier);
  Object.defineProperty(carrier, ANSWER_KEY, { value: answer, enumerable: false });
  res.writeHead = hookedWriteHead as ServerResponse["writeHead"];
  res.write = hookedWrite as ServerResponse["write"];
  res.end = hookedEnd as ServerResponse["end"];
  res.flushHeaders = hookedFlushHeaders;
  res.on("close", onClose);
  return answer;
}

// What stands in place of a response's own methods: the same functions for every response, so that none is made for one.

function hookedWriteHead(this: Carrier, ...args: unknown[]): ServerResponse {
  return (this[ANSWER_KEY] as Answer).writeHead(args);
}

function hookedWrite(this: Carrier, ...args: unknown[]): boolean {
  return (this[ANSWER_KEY] as Answer).write(args as []);
}

function hookedEnd(this: Carrier, ...args: unknown[]): ServerResponse {
  return (this[ANSWER_KEY] as Answer).end(args as []);
}

/** The head is sent when the answer is. */
function hookedFlushHeaders(): void {
  return undefined;
}

function onClose(this: Carrier): void {
  this[ANSWER_KEY]?.closed();
}
