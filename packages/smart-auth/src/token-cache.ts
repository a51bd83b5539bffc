import { createHash } from "node:crypto";
import type { Principal } from "@wardline/policy-types";

const CACHE_LIMIT = 5000;

/** Verified tokens, so that a repeated one costs a hash. Bounded: the least recently used goes first (S8). */
export interface TokenCache {
  get(token: string, nowSeconds: number): Principal | undefined;
  /** @param until seconds since the epoch */
  set(token: string, principal: Principal, until: number): void;
}

/** Keys are SHA-256 of the token: the cache never holds a token (A14). */
export function createTokenCache(): TokenCache {
  const entries = new Map<string, { readonly principal: Principal; readonly until: number }>();
  return {
    get(token, nowSeconds) {
      const key = hashOf(token);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (nowSeconds >= entry.until) return undefined;
      entries.set(key, entry);
      return entry.principal;
    },
    set(token, principal, until) {
      if (entries.size >= CACHE_LIMIT) {
        const [oldest] = entries.keys();
        if (oldest !== undefined) entries.delete(oldest);
      }
      entries.set(hashOf(token), { principal, until });
    },
  };
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
