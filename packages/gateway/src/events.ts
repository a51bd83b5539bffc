/** Something an operator should know, as one log line. */
export interface GatewayEvent {
  readonly level: "info" | "warn" | "error";
  /** Stable: `gateway/upstream-failed`. */
  readonly code: string;
  /** A fixed sentence. */
  readonly message: string;
  /** Names and numbers only, nothing from a request. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
  readonly error?: unknown;
}
