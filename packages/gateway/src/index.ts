export type { AuditDependencies } from "./audit.ts";
export type { AuthDependencies } from "./auth-dependencies.ts";
export type { SpanSource } from "./controls/tracing.ts";
export type { Listening } from "./doors.ts";
export type { Drift } from "./drift.ts";
export type { GatewayEvent } from "./events.ts";
export {
  type Explainer,
  type Explanation,
  openExplainer,
  type QuestionedRequest,
} from "./explain/explain.ts";
export {
  type PolicyExpectation,
  type PolicyTest,
  type PolicyTestFile,
  type PolicyTestResult,
  testPolicy,
} from "./explain/policy-test.ts";
export type { AskedUpstream, GivenResource } from "./explain/world.ts";
export { createGateway } from "./gateway.ts";
export type { Readiness } from "./health.ts";
export type { NextPolicy } from "./in-force.ts";
export type { Gateway } from "./make-gateway.ts";
export type { GatewayDependencies } from "./options.ts";
export { diffPolicies, type PolicyChange } from "./policy/diff.ts";
export { type CheckedPolicy, checkPolicy, loadPolicy, parsePolicy } from "./policy/load.ts";
export type { Place } from "./policy/place.ts";
export type { SecretProvider, SecretReference } from "./policy/secrets.ts";
export {
  type PolicySignature,
  type SignatureResult,
  type SigningRequest,
  signPolicy,
  verifyPolicy,
} from "./policy/signature.ts";
export type { ResolveSrv, SrvRecord } from "./proxy/discover.ts";
export { type ServedPolicy, type ServeOptions, servePolicy } from "./serve.ts";
