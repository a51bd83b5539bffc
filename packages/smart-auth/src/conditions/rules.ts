import type { InteractionCode } from "@wardline/policy-types";
import type { ConditionFacts } from "./facts.ts";

/** Local time of the caller's site. */
export interface HoursCondition {
  /** IANA name: `America/Chicago`. */
  readonly timeZone: string;
  /** Default every day. A span over midnight belongs to the day it began on. */
  readonly days?: readonly ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
  /** `08:00`, included. */
  readonly from: string;
  /** `18:00`, excluded. `24:00` is midnight. Earlier than `from`: over midnight. */
  readonly to: string;
}

/**
 * What must hold, all of it; of each list, one. A fact that is not known is neither yes nor no. Of a device's certificate
 * it is known that it has no `clients` and no `attributes`: no.
 */
export interface ConditionFactsWanted {
  readonly roles?: readonly string[];
  readonly purposeOfUse?: readonly string[];
  readonly acr?: readonly string[];
  readonly amr?: readonly string[];
  /** Seconds since the user last signed in, at most. */
  readonly maxAuthAgeSeconds?: number;
  readonly departments?: readonly string[];
  readonly organisations?: readonly string[];
  readonly clients?: readonly string[];
  readonly issuers?: readonly string[];
  /** By the names of the issuer's `claims.attributes`: `{ posture: ["compliant"] }`. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /** Addresses or CIDR ranges of the caller. */
  readonly networks?: readonly string[];
  readonly hours?: HoursCondition;
  /** In an app only. Not `true`: no. Throwing refuses the request. */
  readonly test?: (facts: ConditionFacts) => boolean;
}

/**
 * One rule of who may do what, when, from where.
 *
 * - `deny`: refused unless it is certain that `when` does not hold.
 * - `require`: refused unless `when` holds.
 * - `withhold`: data of `categories` stay behind unless it is certain that `when` does not hold.
 * - `permit`: where there are such rules, one of them must hold. It grants nothing beyond the scopes.
 */
export interface AccessRule {
  /** Named in the audit record. */
  readonly id: string;
  readonly effect: "deny" | "require" | "withhold" | "permit";
  /** Of `withhold`: names of data categories. */
  readonly categories?: readonly string[];
  /** What it is about. Absent: everything. */
  readonly on?: {
    readonly interactions?: readonly InteractionCode[];
    /** A `permit` must name every type the request touches; for the others one is enough. */
    readonly types?: readonly string[];
  };
  readonly when: ConditionFactsWanted;
  /** Broken glass sets the rule aside. Default false. */
  readonly liftedByBreakGlass?: boolean;
}
