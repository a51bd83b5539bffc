import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { holdPort } from "./servers.ts";

export interface Redis {
  readonly url: string;
  close(): Promise<void>;
}

/** A Redis of this process's own, where redis-server is installed. In production, yours. */
export async function startRedis(folder: string, port: number): Promise<Redis> {
  // What was promised to a client survives Redis itself: each write is on the disk before it is answered.
  const safe = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"];
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...safe],
    {
      stdio: "ignore",
    },
  );
  // However this process ends, its Redis ends with it.
  process.once("exit", () => child.kill());
  const failed = once(child, "error").then(() => {
    throw new Error("this example needs Redis: set REDIS_URL, or install redis-server");
  });
  await Promise.race([answering(port), failed]);
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const held = await holdPort(0);
  await held.close();
  return held.port;
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await accepts(port)) return;
    await pause(50);
  }
  throw new Error("redis-server did not answer within ten seconds");
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", settle(true)).once("error", settle(false));
  });
}
