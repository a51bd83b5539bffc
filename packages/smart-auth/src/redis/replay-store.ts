import type { ReplayStore } from "../replay.ts";
import { createAsk, type RedisOptions, unavailable } from "./ask.ts";

const CODE = "smart-auth/replay-store-unavailable";

/**
 * A replay store that all instances share: one atomic command for each key, forgotten by Redis itself (S3).
 *
 * Does NOT survive a Redis that loses its data: keep it from evicting keys, and replicate it if proofs must not count again
 * after a failover.
 */
export function createRedisReplayStore(options: RedisOptions): ReplayStore {
  const { prefix = "wardline", now = Date.now } = options;
  const ask = createAsk(options, CODE);
  return {
    async add(key, expiresAt) {
      const lifetime = Math.max(1, Math.ceil(expiresAt * 1000 - now()));
      const answer = await ask("SET", `${prefix}:replay:${key}`, "1", "NX", "PX", String(lifetime));
      if (answer === null) return false;
      if (answer === "OK") return true;
      throw unavailable(CODE);
    },
  };
}
