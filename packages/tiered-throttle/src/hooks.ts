import type { IncomingMessage, ServerResponse } from "node:http";
import type { Decision } from "@wardline/policy-types";
import type { OperationClass } from "./classes/index.ts";
import type { RequestFacts } from "./tiers.ts";

/** A request on its way to the counters. */
export interface GateFacts extends RequestFacts {
  /** Name of the tier that limits it. */
  readonly tier: string;
}

/**
 * Stands before the counters: pools of slots, shedding. What it denies is not charged (F14). What it takes for a request it
 * gives back itself when the answer is over (`afterAnswer`), because the counters may refuse what the gate let through.
 */
export type Gate = (
  req: IncomingMessage,
  res: ServerResponse,
  facts: GateFacts,
) => Decision<unknown> | Promise<Decision<unknown>>;

/** One decision as metrics and the console see it. Names of the configuration only, nothing of the caller. */
export interface ThrottleDecision {
  readonly control: "tiered-throttle" | "tiered-throttle-door";
  readonly kind: "permit" | "deny";
  readonly code?: string;
  readonly tier: string;
  readonly operationClass: OperationClass;
  readonly cost: number;
  /** Who counted: the shared store, this process, this process in place of the store; `nobody`: refused before, or let through. */
  readonly countedBy: CountedBy;
  /** The limits that had no room. */
  readonly full: readonly string[];
  readonly zone: string | undefined;
  readonly apiType: string | undefined;
}

export type CountedBy = "store" | "process" | "process-share" | "nobody";
