import { DependencyError, type SendCommand } from "@wardline/policy-types";
import { within } from "../deadline.ts";

export interface RedisOptions {
  /** Sends one command. */
  readonly send: SendCommand;
  /** Before every key and channel. Default `wardline`. */
  readonly prefix?: string;
  /** How long Redis may take, in milliseconds. Default 50. */
  readonly deadlineMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const DEADLINE_MS = 50;
/** F5: after a failure nobody asks for this long, in milliseconds; then one does. */
const PAUSE_MS = 500;

/**
 * Sends commands with our own deadline (F1). After a failure the next ones are refused at once, until one that is let
 * through succeeds (F5). Nothing is ever sent twice: what timed out may have been done (F2).
 */
export function createAsk(
  { send, deadlineMs = DEADLINE_MS, now = Date.now }: RedisOptions,
  code: string,
): (...command: string[]) => Promise<unknown> {
  let failedAt = Number.NEGATIVE_INFINITY;
  let isDown = false;
  let isProbing = false;

  return async function ask(...command) {
    // A clock that was ahead and is set back does not make the pause last until it is there again.
    failedAt = Math.min(failedAt, now());
    if (isDown && (isProbing || now() - failedAt < PAUSE_MS)) throw unavailable(code);
    isProbing = isDown;
    try {
      const answer = await within(deadlineMs, send(...command));
      isDown = false;
      return answer;
    } catch (cause) {
      isDown = true;
      failedAt = now();
      throw unavailable(code, cause);
    } finally {
      isProbing = false;
    }
  };
}

export function unavailable(code: string, cause?: unknown): DependencyError {
  return new DependencyError(code, "redis did not answer", { cause, retryable: true });
}
