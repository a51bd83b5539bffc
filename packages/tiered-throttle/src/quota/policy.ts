import type { WindowOwner } from "../keys.ts";
import type { PeriodUnit } from "./calendar.ts";

/** A share agreed by contract: `limit` requests per day or month of a time zone. */
export interface QuotaPolicy {
  /** Policy name shown in RateLimit-Policy; token characters. */
  readonly name: string;
  /** Requests per period. */
  readonly limit: number;
  /** The period, of the calendar in `timeZone`. */
  readonly per: PeriodUnit;
  /** Whose contract it is. Default `organisation`. */
  readonly by?: WindowOwner;
  /** IANA name: days and months begin there. Default `UTC`. */
  readonly timeZone?: string;
  /**
   * What was left of the last period's own limit may be spent in the next one, up to this. What was carried is not
   * carried again. A contract begins with it. Default 0.
   */
  readonly carry?: number;
}
