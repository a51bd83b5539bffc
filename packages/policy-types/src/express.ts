export { type BodyLimits, readBody } from "./express/body.ts";
export { byTurn, gatherByTurn, joinTurn } from "./express/by-turn.ts";
export {
  contextOf,
  type EntryContext,
  grantOf,
  hasPermitted,
  isStanding,
  type RequestContext,
  recordDecision,
} from "./express/context.ts";
export { type EdgeClasses, edgeClasses } from "./express/edge-classes.ts";
export { createEdgeServer, type EdgeServerOptions, type SecureEdgeServerOptions } from "./express/edge-server.ts";
export { asFailure, closing } from "./express/failure.ts";
export { keepFreedMemory } from "./express/heap.ts";
export { inOrder } from "./express/in-order.ts";
export { readJson } from "./express/json-names.ts";
export { leaveOut, prefersLenient } from "./express/leave-out.ts";
export type { EdgeApp } from "./express/one-shape.ts";
export type { Gate, Settle } from "./express/outlet.ts";
export { Pieces } from "./express/pieces.ts";
export { addTransform, afterAnswer, beforeAnswer, beforeHead, sendProblem } from "./express/pipeline.ts";
export { OPERATION_OUTCOME_MEDIA_TYPE, renderOperationOutcome } from "./express/render-problem.ts";
export type { RequestBody } from "./express/request-body.ts";
export { requireControls } from "./express/require-controls.ts";
export { announcesBody, type MountedRequest, type RequestTarget, requestTarget } from "./express/target.ts";
export {
  type AnswerFacts,
  type BodyTransform,
  type BodyVerdict,
  type Json,
  KEEP,
  TRANSFORM_STAGES,
  type TransformStage,
} from "./express/transform.ts";
export type { TransportFacts } from "./express/transport.ts";
