import type { OperationClass } from "./classes/index.ts";

/** One decision as metrics and the console see it. Names of the configuration only, nothing of the caller. */
export interface ThrottleDecision {
  readonly kind: "permit" | "deny";
  readonly code?: string;
  readonly tier: string;
  readonly operationClass: OperationClass;
  readonly cost: number;
  readonly countedBy: CountedBy;
  /** The limits that had no room. */
  readonly full: readonly string[];
  readonly zone: string | undefined;
  readonly apiType: string | undefined;
}

/** The shared store; this process; this process with its share in place of the store; nobody: refused before, or let through. */
export type CountedBy = "store" | "process" | "process-share" | "nobody";
