export type { Aborted, Aborting, FollowBody, UpstreamWork } from "./attempt.ts";
export { type Breaker, type BreakerState, type BreakerTotals, type CallOptions, createBreaker } from "./breaker.ts";
export type { CircuitPhase } from "./circuit.ts";
export type { CallVerdict } from "./classify.ts";
export type { BreakerOptions, SharedBreakerOptions } from "./options.ts";
