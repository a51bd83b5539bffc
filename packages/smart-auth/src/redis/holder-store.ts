import type { HolderStore } from "../first-holder/store.ts";
import { createAsk, type RedisOptions, unavailable } from "./ask.ts";

const CODE = "smart-auth/replay-store-unavailable";

/**
 * A holder store that all instances share. Two commands are enough: what the first one leaves there is never changed.
 *
 * Does NOT survive a Redis that loses its data: keep it from evicting keys.
 */
export function createRedisHolderStore(options: RedisOptions): HolderStore {
  const { prefix = "wardline", now = Date.now } = options;
  const ask = createAsk(options, CODE);
  return {
    async hold(key, holder, expiresAt) {
      const place = `${prefix}:holder:${key}`;
      const lifetime = Math.max(1, Math.ceil(expiresAt * 1000 - now()));
      if ((await ask("SET", place, holder, "NX", "PX", String(lifetime))) === "OK") return holder;
      const first = await ask("GET", place);
      if (typeof first === "string") return first;
      throw unavailable(CODE);
    },
  };
}
