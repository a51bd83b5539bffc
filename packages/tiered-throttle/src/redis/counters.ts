import { DependencyError, type SendCommand } from "@wardline/policy-types";
import { withinDeadline } from "../deadline.ts";
import type { SharedCounters } from "../failover.ts";
import { costFor, type Limit, type LimitCount, type Taken } from "../limits.ts";
import { redisKeysOf } from "./keys.ts";
import { isNoScript } from "./recovering.ts";
import { TAKE_SCRIPT, TAKE_SHA1 } from "./script.ts";

export interface RedisTier {
  readonly sendCommand: SendCommand;
  readonly prefix: string;
  /** Keeps the tier's counters apart from others'. */
  readonly tier: string;
  readonly limits: readonly Limit[];
  readonly deadlineMs: number;
}

/**
 * Counters of a tier in Redis: one round trip per request, whatever the number of limits, all of them charged or none (F14).
 *
 * Does NOT retry what may have been done (F2): a second command is sent only after NOSCRIPT, or when Redis says that this
 * process's clock was too far off to name the period; neither had charged anything.
 */
export class RedisCounters implements SharedCounters {
  readonly #options: RedisTier;
  readonly #keysOf: (owners: readonly string[]) => readonly string[];
  /** Redis's clock less ours: only matters when it is more than a whole period. */
  #clockOffsetMs = 0;

  constructor(options: RedisTier) {
    this.#options = options;
    this.#keysOf = redisKeysOf(options.prefix, options.tier, options.limits);
  }

  /**
   * `owners` in the order of the limits.
   *
   * Throws a `DependencyError` when Redis fails, answers nonsense or exceeds the deadline.
   */
  take(owners: readonly string[], now: number, cost: number): Promise<Taken> {
    return withinDeadline(this.#options.deadlineMs, async () => {
      const keys = this.#keysOf(owners);
      const reply = await this.#ask(keys, now, cost);
      if (reply[0] !== -1) return readTaken(reply, this.#options.limits.length, now);
      this.#clockOffsetMs = (reply[1] as number) - now;
      return readTaken(await this.#ask(keys, now, cost), this.#options.limits.length, now);
    });
  }

  async #ask(keys: readonly string[], now: number, cost: number): Promise<readonly number[]> {
    const { sendCommand, limits } = this.#options;
    const rest = [String(keys.length), ...keys, ...limits.flatMap((limit) => this.#argumentsOf(limit, now, cost))];
    try {
      return readNumbers(await sendCommand("EVALSHA", TAKE_SHA1, ...rest));
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return readNumbers(await sendCommand("EVAL", TAKE_SCRIPT, ...rest));
    }
  }

  #argumentsOf(limit: Limit, now: number, cost: number): readonly string[] {
    const head = [String(limit.limit), String(costFor(limit.limit, cost))];
    if (limit.kind === "window") return [...head, String(limit.windowMs)];
    const starts = limit.calendar.startsAround(now + this.#clockOffsetMs);
    return [...head, "0", String(limit.carry), ...starts.map(String)];
  }
}

const PER_LIMIT = 5;

function readNumbers(reply: unknown): readonly number[] {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
  // Some clients give integers as text.
  const numbers = parts.map((part) => (typeof part === "string" && part !== "" ? Number(part) : part));
  if (numbers.length < 2 || !numbers.every(isInteger)) throw nonsense();
  return numbers;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function readTaken(reply: readonly number[], limits: number, now: number): Taken {
  const [admitted] = reply;
  if ((admitted !== 0 && admitted !== 1) || reply.length !== 2 + limits * PER_LIMIT) throw nonsense();
  const counts: LimitCount[] = [];
  const full: number[] = [];
  for (let index = 0; index < limits; index += 1) {
    const at = 2 + index * PER_LIMIT;
    const [hasRoom, limit, remaining, leftMs, lengthMs] = reply.slice(at) as [number, number, number, number, number];
    if (hasRoom === 0) full.push(index);
    counts.push({ limit, remaining: Math.max(0, remaining), resetAt: now + leftMs, lengthMs });
  }
  return { admitted: admitted === 1, counts, full };
}

function nonsense(): DependencyError {
  return new DependencyError("tiered-throttle/store-unavailable", "the counter store answered with no count", {
    retryable: false,
  });
}
