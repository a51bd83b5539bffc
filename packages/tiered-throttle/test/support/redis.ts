import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { SendCommand } from "@wardline/policy-types";
import { createClient } from "redis";
import { afterAll } from "vitest";

/** A node-redis client that reconnects by itself and keeps nothing for later; closed when the test file ends. */
export async function connect(url: string): Promise<SendCommand> {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: 20, connectTimeout: 1000 },
  });
  client.on("error", () => undefined);
  await client.connect();
  afterAll(() => client.destroy());
  return (...args) => client.sendCommand(args);
}

/** A TCP proxy that holds every piece of an answer back for a while. */
export interface SlowProxy {
  readonly url: string;
  delayBy(ms: number): void;
}

export async function slowProxy(port: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  const server: Server = createServer((client) => {
    const upstream = createConnection({ port, host: "127.0.0.1" });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (piece) => {
      if (delayMs === 0) client.write(piece);
      else setTimeout(() => client.write(piece), delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`,
    delayBy(ms) {
      delayMs = ms;
    },
  };
}
