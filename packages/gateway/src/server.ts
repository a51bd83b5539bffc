import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { HeldPort } from "./port.ts";

export interface ServerLimits {
  /** Longer ones are answered with 431. */
  readonly maxHeaderBytes: number;
  /** From the connection to the end of the request's headers. */
  readonly headersTimeoutMs: number;
  /** To the end of the request's body. */
  readonly requestTimeoutMs: number;
}

export interface EdgeServer {
  listen(at: { readonly port: number; readonly host: string } | HeldPort): Promise<AddressInfo>;
  /** Takes no new connection, closes those without a request, waits for the answers in work, cuts the rest (F15). */
  drain(drainMs: number): Promise<void>;
}

/** A plain HTTP server with the bounds an edge needs. `insecureHTTPParser` stays off whatever the process was told. */
export function openServer(
  listener: RequestListener,
  onClientError: (error: Error, socket: Socket) => void,
  limits: ServerLimits,
): EdgeServer {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 5_000,
      insecureHTTPParser: false,
      // Perimeter refuses a request without a host, in words; Node would answer with nothing.
      requireHostHeader: false,
      joinDuplicateHeaders: false,
    },
    listener,
  );
  // Without a listener Node answers an unknown expectation itself, with nothing.
  server.on("checkExpectation", listener);
  server.on("clientError", onClientError as (error: Error, socket: unknown) => void);

  /** Connections that have not asked anything yet; Node does not count them as idle. */
  const silent = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }: IncomingMessage) => silent.delete(socket));

  return {
    listen: (at) =>
      new Promise((resolve, reject) => {
        const onListening = (): void => {
          server.removeListener("error", reject);
          resolve(server.address() as AddressInfo);
        };
        server.once("error", reject);
        if ("handle" in at) server.listen(at.handle, onListening);
        else server.listen(at.port, at.host, onListening);
      }),
    async drain(drainMs) {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      for (const socket of silent) socket.destroy();
      const timer = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
