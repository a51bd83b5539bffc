export { type BodyLimits, type RequestBody, readBody } from "./express/body.ts";
export { contextOf, grantOf, hasPermitted, type RequestContext, recordDecision, type TransportFacts } from "./express/context.ts";
export { addTransform, afterAnswer, beforeAnswer, type Gate } from "./express/answer.ts";
export { OPERATION_OUTCOME_MEDIA_TYPE, renderOperationOutcome, sendProblem } from "./express/problem.ts";
export { requireControls } from "./express/require-controls.ts";
export { type AnswerFacts, type BodyTransform, type BodyVerdict, type Json, KEEP, TRANSFORM_STAGES, type TransformStage } from "./express/transform.ts";
