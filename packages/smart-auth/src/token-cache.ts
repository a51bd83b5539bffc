import { hash } from "node:crypto";

const CACHE_LIMIT = 10_000;

/** What was found out about tokens, so that a repeated one costs a hash. Bounded: the least recently used goes first (S8). */
export interface TokenCache<Value> {
  get(key: string, nowSeconds: number): Value | undefined;
  /** @param until seconds since the epoch */
  set(key: string, value: Value, until: number): void;
}

export function createTokenCache<Value>(): TokenCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly until: number }>();
  return {
    get(key, nowSeconds) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (nowSeconds >= entry.until) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, until) {
      entries.delete(key);
      if (entries.size >= CACHE_LIMIT) {
        const [oldest] = entries.keys();
        if (oldest !== undefined) entries.delete(oldest);
      }
      entries.set(key, { value, until });
    },
  };
}

/** S8, A14: SHA-256 over length-prefixed parts, so that no key holds a token and no two lists of parts share one. */
export function hashOf(...parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return hash("sha256", text, "base64url");
}
