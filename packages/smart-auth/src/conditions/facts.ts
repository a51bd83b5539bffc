import type { Interaction, Principal } from "@wardline/policy-types";

/** What rules are decided by. */
export interface ConditionFacts {
  readonly caller: Principal;
  readonly interaction: Interaction;
  /** The caller's own, or as trusted proxies report it. */
  readonly address: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly brokeGlass: boolean;
}

/** Yes, no, or not known: what is not known never lets anybody in. */
export type Answer = boolean | "unknown";

/** One fact a rule wants, ready to be asked. */
export interface Predicate {
  readonly name: string;
  /** A stronger or newer sign-in would change the answer (RFC 9470). */
  readonly stepUp: boolean;
  readonly ask: (facts: ConditionFacts) => Answer;
}
