import type { RedisPolicy, SendCommand, Subscribe } from "@wardline/policy-types";
import type { GatewayEvent } from "../events.ts";

/** What instances share, reached through one connection and one for subscriptions. */
export interface SharedRedis {
  readonly send: SendCommand;
  readonly subscribe: Subscribe;
  readonly prefix: string;
  readonly replicas: number;
  readonly state: () => "up" | "down";
  /** A connection of its own for a queue library, which waits for Redis by itself. Ends with the rest. */
  readonly connectQueue: () => object;
  close(): Promise<void>;
}

export interface RedisFacts {
  readonly policy: RedisPolicy;
  readonly readSecret: (reference: string) => Promise<string>;
  readonly onEvent: (event: GatewayEvent) => void;
}

const CONNECT_TIMEOUT_MS = 2_000;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Connects to Redis and keeps connecting. The start does not wait for it: counters have a local share meanwhile (F4), and
 * revocation, consent and replay refuse (F8, S3). A command that cannot be sent now is refused, not kept for later: what
 * is replayed after an outage would count twice (F2).
 */
export async function openRedis({ policy, readSecret, onEvent }: RedisFacts): Promise<SharedRedis> {
  const { createClient } = await import("redis");
  const url = /^rediss?:/.test(policy.url) ? policy.url : await readSecret(policy.url);
  const options = {
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS),
    },
  } as const;
  const client = createClient(options);
  const subscriber = client.duplicate({ ...options, disableOfflineQueue: false });
  /** Unknown until it is first told, so that a store that is down from the start is told too (F12). */
  let state: "up" | "down" | undefined;
  let closing = false;
  const queues: { destroy(): void }[] = [];
  const turn = (next: "up" | "down"): void => {
    if (state === next || closing) return;
    state = next;
    const code = next === "up" ? "gateway/redis-up" : "gateway/redis-down";
    const message = next === "up" ? "the shared store answers" : "the shared store cannot be reached";
    onEvent({ level: next === "up" ? "info" : "error", code, message });
  };
  client.on("ready", () => turn("up"));
  client.on("error", () => turn("down"));
  subscriber.on("error", () => undefined);
  void client.connect().catch(() => turn("down"));
  void subscriber.connect().catch(() => undefined);

  return {
    send: (...args) => client.sendCommand(args),
    async subscribe(channel, onMessage) {
      await subscriber.subscribe(channel, onMessage);
      // Without waiting: a connection that is gone has no subscriptions, and would keep whoever closes (F1).
      return () => {
        void subscriber.unsubscribe(channel, onMessage).catch(() => undefined);
        return Promise.resolve();
      };
    },
    prefix: policy.prefix ?? "wardline:",
    replicas: policy.replicas ?? 2,
    state: () => state ?? "down",
    connectQueue() {
      const own = client.duplicate({ ...options, disableOfflineQueue: false });
      own.on("error", () => undefined);
      void own.connect().catch(() => undefined);
      queues.push(own);
      return own;
    },
    close: () => {
      closing = true;
      for (const own of queues) own.destroy();
      client.destroy();
      subscriber.destroy();
      return Promise.resolve();
    },
  };
}
