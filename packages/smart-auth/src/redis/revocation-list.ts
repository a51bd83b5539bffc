import type { RevocationList } from "../revocation.ts";
import { hashOf } from "../token-cache.ts";
import { createAsk, type RedisOptions, unavailable } from "./ask.ts";

const CODE = "smart-auth/revocation-unavailable";

/** All `until` in seconds since the epoch: when the tokens meant have expired by themselves. */
export interface RedisRevocationList extends RevocationList {
  revokeTokenId(issuer: string, tokenId: string, until: number): Promise<void>;
  /** @param tokenHash SHA-256 of the token in base64url */
  revokeTokenHash(tokenHash: string, until: number): Promise<void>;
  /** Every token of this subject that was issued before `since`, by its issuer's clock, which may be ahead by `leewaySeconds`. */
  revokeSubject(issuer: string, subject: string, since: number, until: number): Promise<void>;
}

/** A later word never takes an earlier one back: of each number the larger stays. */
const REVOKE = `
local since = tonumber(redis.call('GET', KEYS[1]) or '-1')
if tonumber(ARGV[1]) > since then since = tonumber(ARGV[1]) end
local left = redis.call('PTTL', KEYS[1])
if tonumber(ARGV[2]) > left then left = tonumber(ARGV[2]) end
redis.call('SET', KEYS[1], string.format('%.0f', since), 'PX', left)
return 'OK'`;
/** Later than any token is issued. */
const ALWAYS = 9_000_000_000_000;

/** A revocation list that all instances share, asked at each request: a revocation counts from the moment it was written. */
export function createRedisRevocationList(options: RedisOptions): RedisRevocationList {
  const { prefix = "wardline", now = Date.now } = options;
  const ask = createAsk(options, CODE);
  const keyOf = (...parts: readonly string[]) => `${prefix}:revoked:${hashOf(...parts)}`;

  async function revoke(key: string, since: number, until: number): Promise<void> {
    const lifetime = Math.ceil(until * 1000 - now());
    if (lifetime <= 0) return;
    await ask("EVAL", REVOKE, "1", key, String(Math.ceil(since)), String(lifetime));
  }

  /** Before all time when nothing was revoked under this key. */
  async function sinceOf(key: string): Promise<number> {
    const answer = await ask("GET", key);
    if (answer === null) return Number.NEGATIVE_INFINITY;
    const since = Number(answer);
    if (!Number.isFinite(since)) throw unavailable(CODE);
    return since;
  }

  return {
    revokeTokenId: (issuer, tokenId, until) => revoke(keyOf("id", issuer, tokenId), ALWAYS, until),
    revokeTokenHash: (tokenHash, until) => revoke(keyOf("hash", tokenHash), ALWAYS, until),
    revokeSubject: (issuer, subject, since, until) => revoke(keyOf("subject", issuer, subject), since, until),
    async isRevoked({ issuer, subject, tokenId, tokenHash, issuedAt = Number.NEGATIVE_INFINITY }) {
      const keys = [keyOf("hash", tokenHash), keyOf("subject", issuer, subject)];
      if (tokenId !== undefined) keys.push(keyOf("id", issuer, tokenId));
      // At once, in one packet; not one MGET, as a cluster keeps them in different places.
      const since = await Promise.all(keys.map(sinceOf));
      return since.some((moment) => issuedAt < moment);
    },
  };
}
