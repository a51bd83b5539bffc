import type { Principal } from "@wardline/policy-types";

/** A token that is genuine and meant for us: who it stands for. How it may be used is checked at each request. */
export interface VerifiedToken {
  readonly principal: Principal;
  /** `exp`, seconds since the epoch. */
  readonly expiresAt: number;
  /** `iat`, seconds since the epoch; an introspection answer may leave it out. */
  readonly issuedAt?: number;
}
