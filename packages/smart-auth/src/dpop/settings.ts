/** @see https://www.rfc-editor.org/rfc/rfc9449 */
export interface DpopOptions {
  /** Of proofs. Default `["ES256", "ES384", "PS256"]`. */
  readonly algorithms?: readonly string[];
  /** How old a proof may be, in seconds, 1 to 300. Default 60. */
  readonly windowSeconds?: number;
  /** How far ahead of ours the client's clock may be, in seconds, 0 to 60. Default 5. */
  readonly futureSeconds?: number;
  /** Every proof must carry a nonce of ours, so that none can be made in advance. Default true when `nonceKey` is given. */
  readonly requireNonce?: boolean;
  /** At least 32 random bytes, shared by all instances. Default with `requireNonce`: random, of this process alone. */
  readonly nonceKey?: Uint8Array;
}

export interface DpopSettings {
  readonly algorithms: readonly string[];
  readonly windowSeconds: number;
  readonly futureSeconds: number;
  /** Absent: nonces are neither given nor looked at. */
  readonly nonceKey?: Uint8Array;
}
