/** What became of an issuer's keys, for a log line and a metric (F7, F12). */
export interface KeyEvent {
  readonly issuer: string;
  /**
   * `fetched`: after an outage as well, see `failures`. `failed`: the keys known before are kept for at most an hour.
   * `expired`: that hour is over, and no token of the issuer can be verified. `unknown-kid`: a token named a key the issuer
   * does not have; at most one event for each time it was asked.
   */
  readonly kind: "fetched" | "failed" | "expired" | "unknown-kid";
  /** Failures in a row: before a success, or with this one. */
  readonly failures: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
