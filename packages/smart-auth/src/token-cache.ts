import { hash } from "node:crypto";

/** Of tokens found out about or asked for last: so many are remembered at least, and twice as many at most. */
const GENERATION = 10_000;

/** What was found out about tokens, so that a repeated one costs a hash. Bounded: what was not used for longest goes first (S8). */
export interface TokenCache<Value> {
  get(key: string, nowSeconds: number): Value | undefined;
  /** @param until seconds since the epoch */
  set(key: string, value: Value, until: number): void;
}

/** By generations: a token that comes again and again is not moved each time, only once after the younger generation was full. */
export function createTokenCache<Value>(): TokenCache<Value> {
  let young = new Map<string, Entry<Value>>();
  let old = new Map<string, Entry<Value>>();

  function put(key: string, entry: Entry<Value>): void {
    if (young.size >= GENERATION && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, entry);
  }

  function takeOver(key: string): Entry<Value> | undefined {
    const entry = old.get(key);
    if (entry === undefined) return undefined;
    old.delete(key);
    put(key, entry);
    return entry;
  }

  return {
    get(key, nowSeconds) {
      const entry = young.get(key) ?? takeOver(key);
      if (entry === undefined) return undefined;
      if (nowSeconds < entry.until) return entry.value;
      young.delete(key);
      return undefined;
    },
    set(key, value, until) {
      old.delete(key);
      put(key, { value, until });
    },
  };
}

interface Entry<Value> {
  readonly value: Value;
  readonly until: number;
}

/** S8, A14: SHA-256, so that no key holds a token. */
export function hashOfToken(token: string): string {
  return hash("sha256", token, "base64url");
}

/** S8, A14: SHA-256 over length-prefixed parts, so that no key holds a name and no two lists of parts share one. */
export function hashOf(...parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return hash("sha256", text, "base64url");
}
