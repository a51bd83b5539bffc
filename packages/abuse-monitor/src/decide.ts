import { type Decision, deny, type Principal, permit, type Reasons } from "@wardline/policy-types";
import type { Measure } from "./measures/measure.ts";
import { CALLER_BLOCKED, type StepUpOptions, stepUpRequired } from "./problems.ts";

export interface DoorFacts {
  /** The block on the address, if there is one. */
  readonly block: Measure | undefined;
  /** The request brings a token or a certificate: who it is, is not known yet. */
  readonly hasCredentials: boolean;
  /** It goes to a reserved pool. */
  readonly reserved: boolean;
}

/**
 * Whether an address may come in before anybody was authenticated. What an operator blocked is refused. What the policy
 * blocked is refused unless it could be a caller that only a human may block: that is judged once it is known.
 *
 * Does NOT stop a request with credentials by the policy's own block; `decideCaller` does, after authentication.
 */
export function decideDoor({ block, hasCredentials, reserved }: DoorFacts): Decision<undefined> {
  if (block === undefined) return permit(undefined, NOT_BLOCKED);
  if (block.by === "operator") return deny(CALLER_BLOCKED, [`address blocked by an operator: ${block.because}`]);
  if (reserved) return permit(undefined, ["address blocked, reserved pool: needs a human"]);
  if (hasCredentials) return permit(undefined, ["address blocked: judged after authentication"]);
  return deny(CALLER_BLOCKED, [`address blocked: ${block.because}`]);
}

export interface CallerFacts {
  /** Blocks on the address, client and subject. */
  readonly blocks: readonly Measure[];
  readonly stepUps: readonly Measure[];
  /** A reserved pool or a break-glass user, unless the policy may block those. */
  readonly isProtected: boolean;
  readonly principal: Principal | undefined;
}

/** Whether a caller may go on, now that it is known who it is. */
export function decideCaller(
  { blocks, stepUps, isProtected, principal }: CallerFacts,
  policy: StepUpOptions,
): Decision<undefined> {
  const held = blocks.filter(({ by }) => by === "operator" || !isProtected);
  const [block] = held;
  if (block !== undefined) return deny(CALLER_BLOCKED, [`${block.whom.kind} blocked: ${block.because}`]);
  const due = stepUps.filter((measure) => !isProtected || measure.by === "operator");
  const [stepUp] = due.filter((measure) => !hasSteppedUp(principal, measure, policy));
  if (stepUp !== undefined) {
    const scheme = principal?.confirmation?.jkt === undefined ? "Bearer" : "DPoP";
    return deny(stepUpRequired(policy, scheme), [`step-up required: ${stepUp.because}`]);
  }
  const spared = blocks.length + stepUps.length > held.length + due.length;
  return permit(undefined, spared ? SPARED : NOT_BLOCKED);
}

const NOT_BLOCKED: Reasons = Object.freeze(["not blocked"]);
const SPARED: Reasons = Object.freeze(["measure not applied: reserved pool or break-glass, needs a human"]);

/** Authenticated since the measure, and by a context that is asked for. What the token does not say was not done. */
function hasSteppedUp(
  principal: Principal | undefined,
  { since }: Measure,
  { acrValues = [] }: StepUpOptions,
): boolean {
  if (principal?.authenticatedAt === undefined) return false;
  const isRecent = principal.authenticatedAt >= Math.floor(since / 1000);
  return isRecent && (acrValues.length === 0 || (principal.acr !== undefined && acrValues.includes(principal.acr)));
}
