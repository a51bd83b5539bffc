import { hashKey } from "../keys.ts";
import type { SharedBreakerOptions } from "./options.ts";

/** What this instance hears of the others, and lets them hear. */
export interface SharedState {
  /** Looks whether another instance has opened, if it is time to. Nobody waits for it. */
  look(): void;
  opened(ms: number): void;
  closed(): void;
  /** `unknown` until the first answer. */
  readonly health: "unknown" | "up" | "down";
}

/**
 * One key per upstream that lives as long as the circuit that wrote it is open: only lifetimes are told, never points in time, so the
 * instances' clocks do not matter. While Redis is down every instance judges alone.
 */
export function createSharedState(
  name: string,
  { sendCommand, prefix, everyMs, deadlineMs }: Required<SharedBreakerOptions>,
  now: () => number,
  onOpenElsewhere: (ms: number) => void,
): SharedState {
  const key = prefix + hashKey([name]);
  let health: SharedState["health"] = "unknown";
  let lookedAt = Number.NEGATIVE_INFINITY;
  let unanswered = 0;

  return {
    look() {
      // F1: a client may queue what it cannot send, so what is unanswered is not asked again at every look.
      const pause = unanswered >= MOST_UNANSWERED ? UNANSWERED_PAUSE_MS : everyMs;
      if (now() - lookedAt < pause) return;
      lookedAt = now();
      ask(
        (ms) => {
          if (typeof ms === "number" && ms > 0) onOpenElsewhere(ms);
        },
        "PTTL",
        key,
      );
    },
    opened: (ms) => ask(ignore, "SET", key, "1", "PX", String(Math.ceil(ms))),
    closed: () => ask(ignore, "DEL", key),
    get health() {
      return health;
    },
  };

  function ask(onReply: (reply: unknown) => void, ...command: string[]): void {
    unanswered += 1;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      health = "down";
    }, deadlineMs);
    timer.unref();
    send(command).then(
      (reply) => {
        settle();
        health = "up";
        // F2: what comes after the deadline is as old as we do not know.
        if (!late) onReply(reply);
      },
      () => {
        settle();
        health = "down";
      },
    );
    function settle(): void {
      clearTimeout(timer);
      unanswered -= 1;
    }
  }

  async function send(command: readonly string[]): Promise<unknown> {
    return sendCommand(...command);
  }
}

const MOST_UNANSWERED = 3;
const UNANSWERED_PAUSE_MS = 30_000;

function ignore(): void {}
