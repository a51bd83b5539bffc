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

/** Once for each outage, where nobody gave `onKeys`. */
export function warnOfKeys({ issuer, kind, failures }: KeyEvent): void {
  if (kind !== "expired" && !(kind === "failed" && failures === 1)) return;
  const what = kind === "failed" ? "cannot be fetched" : "are too old to be used";
  const message = `the keys of ${issuer} ${what}: check \`jwksUri\`, DNS, firewall and certificate; \`onKeys\` tells more`;
  process.emitWarning(message, { code: "WARDLINE_ISSUER_KEYS" });
}
