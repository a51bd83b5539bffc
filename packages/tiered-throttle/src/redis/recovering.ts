import { createHash } from "node:crypto";
import type { SendCommand } from "@wardline/policy-types";
import type { RedisReply, SendCommandFn } from "rate-limit-redis";

/**
 * Lets rate-limit-redis recover from a Redis that was down or frozen when its store was made (F3). The store asks for its
 * scripts once and keeps the promise, be it rejected or never settled. Here `SCRIPT LOAD` is answered at once with what Redis
 * would say, the script's SHA-1, and nothing is sent; a script that Redis turns out not to know is sent whole, with its keys, so
 * that it reaches the right node of a cluster.
 *
 * Does NOT retry anything but NOSCRIPT (F2).
 */
export function recoveringSendCommand(sendCommand: SendCommand): SendCommandFn {
  const scripts = new Map<string, string>();
  return async (...args) => {
    const [command = "", first = "", script = ""] = args;
    if (command.toUpperCase() === "SCRIPT" && first.toUpperCase() === "LOAD") {
      const name = createHash("sha1").update(script).digest("hex");
      scripts.set(name, script);
      return name;
    }
    try {
      // The store checks what it is given.
      return (await sendCommand(...args)) as RedisReply;
    } catch (error) {
      const known = command.toUpperCase() === "EVALSHA" ? scripts.get(first) : undefined;
      if (known === undefined || !isNoScript(error)) throw error;
      return (await sendCommand("EVAL", known, ...args.slice(2))) as RedisReply;
    }
  };
}

export function isNoScript(error: unknown): boolean {
  return error instanceof Error && /^NOSCRIPT(\s|$)/.test(error.message);
}
