import type { InteractionCode, TrustZone } from "@wardline/policy-types";

/** A patient's data went to an app. One or two of these are kept for each patient: more say nothing new. */
export interface TransferEntry {
  readonly kind: "transfer";
  /** Calendar day, `2026-11-28`, in the reporting time zone. */
  readonly day: string;
  /** Keyed hash. */
  readonly patient: string;
}

/** Requests of one API type since the entry before. */
export interface TrafficEntry {
  readonly kind: "traffic";
  readonly day: string;
  readonly apiType: string;
  readonly requests: number;
  /** Answered 4xx other than 429. */
  readonly clientErrors: number;
  /** Answered 5xx, or broken off before the whole answer was sent. */
  readonly serverErrors: number;
  /** Answered 429. */
  readonly throttled: number;
  readonly latencySumMs: number;
  /** Buckets of the latency sketch: index and count. */
  readonly latency: readonly (readonly [index: number, count: number])[];
}

export type PriorAuthDecision = "approved" | "partial" | "denied" | "pended" | "cancelled" | "error";

/** A prior-authorisation request came, or an answer to it passed through. */
export interface PriorAuthEntry {
  readonly kind: "prior-auth";
  readonly event: "submitted" | "answered";
  /** Milliseconds since the epoch: when the submission came, or the answer passed. */
  readonly at: number;
  /** When the payer says that it answered, if that is before `at`. */
  readonly createdAt?: number;
  /** Keyed hashes of the identifiers by which the case is known. */
  readonly keys: readonly string[];
  readonly expedited?: boolean;
  /** The request asks to reconsider an earlier determination. */
  readonly appeal?: boolean;
  readonly decision?: PriorAuthDecision;
  /** The time frame of the review was extended. */
  readonly extended?: boolean;
}

/** How often one client used one endpoint in one way on one day. Holds no identifier of a patient. */
export interface SightingEntry {
  readonly kind: "sighting";
  readonly day: string;
  /** Milliseconds since the epoch: of the last of them. */
  readonly lastAt: number;
  readonly count: number;
  /** Id of the registry entry; absent: nobody declared what was asked. */
  readonly entry?: string;
  /** Path in which everything that could name somebody is `{}`. */
  readonly path?: string;
  readonly method: string;
  readonly interaction: InteractionCode;
  readonly operation?: string;
  readonly resourceType?: string;
  readonly zone?: TrustZone;
  readonly client?: string;
  readonly scopes: readonly string[];
  /** `answered`: a handler's answer was sent. `refused`: a control refused. `absent`: nothing answers there. */
  readonly outcome: "answered" | "refused" | "absent";
}

/** One line of the journal: figures and keyed hashes, no PHI. */
export type JournalEntry = TransferEntry | TrafficEntry | PriorAuthEntry | SightingEntry;
