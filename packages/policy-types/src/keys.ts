/** What a key is for: bound to the wrapped key as additional data, so that a key cannot be moved to another use. */
export type KeyContext = Readonly<Record<string, string>>;

/** A fresh key for one piece of data, and the form in which it is stored beside that data. */
export interface DataKey {
  /** Names the wrapping key, so that it is found again after rotation. */
  readonly keyId: string;
  /** 256 bits. Never stored. */
  readonly key: Uint8Array;
  /** The key under the wrapping key. */
  readonly wrapped: Uint8Array;
}

/**
 * Where wrapping keys live: a local key ring, a KMS, a transit engine. Wrapping keys never leave it.
 *
 * Both methods reject with a `DependencyError` when the keys cannot be had.
 */
export interface KeyProvider {
  generateDataKey(context: KeyContext): Promise<DataKey>;
  /** Rejects when the key is unknown, revoked, or was wrapped for another context. */
  unwrapDataKey(wrapped: Pick<DataKey, "keyId" | "wrapped">, context: KeyContext): Promise<Uint8Array>;
}
