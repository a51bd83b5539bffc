import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface ServerLimits {
  /** Answered by Node itself with 431. Default 16384. */
  readonly maxHeaderBytes: number;
  /** From the connection to the end of the request's headers. */
  readonly headersTimeoutMs: number;
  /** To the end of the request's body. */
  readonly requestTimeoutMs: number;
}

/** A plain HTTP server with the bounds an edge needs. `insecureHTTPParser` stays off whatever the process was told. */
export function openServer(
  listener: RequestListener,
  onClientError: (error: Error, socket: Socket) => void,
  limits: ServerLimits,
): Server {
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
  return server;
}

export function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/**
 * Takes no new connection, closes idle ones, waits for the answers in work and cuts what is left after `drainMs` (F15).
 */
export async function drain(server: Server, drainMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(timer);
}
