import { DependencyError } from "@wardline/policy-types";
import type { RevocableToken } from "./revocation.ts";
import { hashOf } from "./token-cache.ts";

/** One word of a list: what was issued under a key before `since` counts no more, until `until`. Seconds since the epoch. */
export interface RevocationEntry {
  /** Hash of what is meant (S8). */
  readonly key: string;
  /** Absent: whenever it was issued. */
  readonly since?: number;
  readonly until: number;
}

export interface RevocationState {
  /** Throws a DependencyError when it is full of entries that still count: forgetting one would give a token back. */
  put(entry: RevocationEntry): void;
  covers(token: RevocableToken): boolean;
  /** Those that still count. */
  entries(): readonly RevocationEntry[];
}

/** The three ways to name what is taken back. */
export const revocationOf = {
  tokenId: (issuer: string, tokenId: string, until: number): RevocationEntry => ({
    key: hashOf("id", issuer, tokenId),
    until,
  }),
  tokenHash: (tokenHash: string, until: number): RevocationEntry => ({ key: hashOf("hash", tokenHash), until }),
  subject: (issuer: string, subject: string, since: number, until: number): RevocationEntry => ({
    key: hashOf("subject", issuer, subject),
    since,
    until,
  }),
} as const;

const DEFAULT_LIMIT = 100_000;

export function createRevocationState(limit: number = DEFAULT_LIMIT, now: () => number = Date.now): RevocationState {
  const entries = new Map<string, { readonly since: number; readonly until: number }>();
  const isPast = (until: number): boolean => now() / 1000 >= until;

  function makeRoom(): void {
    for (const [key, { until }] of entries) if (isPast(until)) entries.delete(key);
    if (entries.size < limit) return;
    throw new DependencyError("smart-auth/revocation-list-full", "the revocation list is full", { retryable: true });
  }

  function isTaken(key: string, issuedAt: number): boolean {
    const entry = entries.get(key);
    return entry !== undefined && !isPast(entry.until) && issuedAt < entry.since;
  }

  return {
    put({ key, since = Number.POSITIVE_INFINITY, until }) {
      const before = entries.get(key);
      if (before === undefined && entries.size >= limit) makeRoom();
      // A later word never takes an earlier one back.
      entries.set(key, {
        since: Math.max(since, before?.since ?? since),
        until: Math.max(until, before?.until ?? until),
      });
    },
    covers({ issuer, subject, tokenId, tokenHash, issuedAt = Number.NEGATIVE_INFINITY }) {
      return (
        (tokenId !== undefined && isTaken(hashOf("id", issuer, tokenId), issuedAt)) ||
        isTaken(hashOf("hash", tokenHash), issuedAt) ||
        isTaken(hashOf("subject", issuer, subject), issuedAt)
      );
    },
    entries: () =>
      [...entries].flatMap(([key, { since, until }]) =>
        isPast(until) ? [] : [{ key, until, ...(since === Number.POSITIVE_INFINITY ? {} : { since }) }],
      ),
  };
}
