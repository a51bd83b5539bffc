import { randomUUID } from "node:crypto";
import { DependencyError, findings, type Subscribe } from "@wardline/policy-types";
import { isWithin } from "../checks.ts";
import { writesOf } from "../consent/memory.ts";
import type { ConsentRegistry } from "../consent/registry.ts";
import { type ConsentEntry, createConsentState, readEntry } from "../consent/state.ts";
import { createAsk, type RedisOptions } from "./ask.ts";

export interface RedisConsentOptions extends RedisOptions {
  /** Brings changes at once. Without it they come within `cacheSeconds`. */
  readonly subscribe?: Subscribe;
  /** How long what is known counts without a word of Redis, in seconds, 0.2 to 30. Default 2. */
  readonly cacheSeconds?: number;
  /** Entries at once. Default 100000. */
  readonly limit?: number;
}

export interface RedisConsentRegistry extends ConsentRegistry {
  /** Ends the subscription and the asking. Nothing can be asked any more. */
  close(): Promise<void>;
}

const CODE = "smart-auth/consent-unavailable";
/** Changes in one reply. */
const PAGE = 1000;

/** Writes an entry, numbers the change, and tells everybody. All keys share a hash tag. */
const WRITE = `
redis.call('SET', KEYS[4], ARGV[4], 'NX')
local version = redis.call('INCR', KEYS[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], version, ARGV[1])
redis.call('PUBLISH', ARGV[3], version)
return version`;
/** Which history this is, the number of its last change, and the entries that changed after one. */
const READ = `
local version = redis.call('GET', KEYS[3]) or '0'
local keys = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ${PAGE})
local answer = { redis.call('GET', KEYS[4]) or '', version }
for at = 1, #keys, 2 do
  answer[#answer + 1] = keys[at + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[1], keys[at])
end
return answer`;

/**
 * A consent registry that all instances share. Each holds all of it, and asks Redis for what changed: when told, and several
 * times within `cacheSeconds`. When Redis has been silent for longer, nothing is known any more: questions reject, and
 * answers that are being sent stop (F8, A10).
 *
 * Does NOT forget what it knows when Redis loses its data; other instances have then never known it. Keep Redis persistent.
 */
export function createRedisConsentRegistry(options: RedisConsentOptions): RedisConsentRegistry {
  const { prefix = "wardline", now = Date.now, cacheSeconds = 2 } = options;
  checkCache(cacheSeconds);
  const ask = createAsk(options, CODE);
  const state = createConsentState(options.limit);
  const tagged = `${prefix}:{consent}`;
  const keys = [`${tagged}:entries`, `${tagged}:order`, `${tagged}:version`, `${tagged}:history`];
  const channel = `${tagged}:changes`;
  const cacheMs = cacheSeconds * 1000;
  let version = 0;
  let history = "";
  let confirmedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  let askAgain = false;
  let isClosed = false;

  // Heard later than now: before the clock was set back, and nobody knows how long before.
  const isFresh = () => !isClosed && confirmedAt <= now() && now() - confirmedAt <= cacheMs;
  const timer = setInterval(() => void refresh().catch(() => undefined), Math.max(100, cacheMs / 4));
  timer.unref();
  const subscription = options.subscribe?.(channel, () => void changed().catch(() => undefined));
  // Without it changes come by asking; there is nothing else to do about it.
  subscription?.catch(() => undefined);

  return {
    ...writesOf(async (entry) => {
      await ask("EVAL", WRITE, "4", ...keys, entry.key, JSON.stringify(entry), channel, randomUUID());
      // Read back rather than kept: another instance may have written the same entry since.
      await asking?.catch(() => undefined);
      await refresh();
    }),
    async view(caller) {
      if (!isFresh()) await refresh();
      return state.view(caller, isFresh);
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      await (await subscription?.catch(() => undefined))?.();
    },
  };

  /** A change may have come after the question under way was answered. */
  async function changed(): Promise<void> {
    askAgain = asking !== undefined;
    await refresh();
  }

  function refresh(): Promise<void> {
    asking ??= catchUp().finally(() => {
      asking = undefined;
      if (!askAgain) return;
      askAgain = false;
      void refresh().catch(() => undefined);
    });
    return asking;
  }

  async function catchUp(): Promise<void> {
    for (;;) {
      const askedAt = now();
      const reply = await ask("EVAL", READ, "4", ...keys, String(version));
      const answer = readReply(reply);
      const { latest, changes } = answer;
      // Redis lost what it had, and counts anew: what is known here stays, and everything it has now is read.
      if (latest < version || (version > 0 && answer.history !== history)) {
        version = 0;
        continue;
      }
      history = answer.history;
      for (const { entry, at } of changes) {
        state.put(entry);
        version = at;
      }
      if (changes.length === PAGE) continue;
      confirmedAt = askedAt;
      return;
    }
  }
}

/** Shorter, an answer would be old before it is used; longer, a withdrawal would not be heard in time. */
function checkCache(cacheSeconds: number): void {
  const found = findings();
  if (!isWithin(cacheSeconds, 0.2, 30)) {
    found.add("cacheSeconds", "out-of-range", "must be between 0.2 and 30 seconds");
  }
  found.throwIfAny("createRedisConsentRegistry options");
}

interface Change {
  readonly entry: ConsentEntry;
  readonly at: number;
}

interface Reply {
  readonly history: string;
  readonly latest: number;
  readonly changes: readonly Change[];
}

function readReply(reply: unknown): Reply {
  if (!Array.isArray(reply)) throw unreadable();
  const [history = "", latest, ...pairs] = (reply as readonly unknown[]).map(String);
  const changes = pairs.flatMap((text, at): readonly Change[] => {
    if (at % 2 === 0) return [];
    const entry = readEntry(text);
    const number = Number(pairs[at - 1]);
    if (entry === undefined || !Number.isSafeInteger(number)) throw unreadable();
    return [{ entry, at: number }];
  });
  if (!Number.isSafeInteger(Number(latest))) throw unreadable();
  return { history, latest: Number(latest), changes };
}

function unreadable(): DependencyError {
  return new DependencyError(CODE, "redis holds what is no consent entry", { retryable: false });
}
