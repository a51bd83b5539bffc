import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { clientErrorHandler, serverTimeouts, type TlsServerOptions } from "@wardline/perimeter";
import type { EdgeClasses } from "@wardline/policy-types/express";
import type { ConnectionLimits } from "@wardline/tiered-throttle";
import type { HeldPort } from "./port.ts";

export interface EdgeServer {
  listen(at: { readonly port: number; readonly host: string } | HeldPort): Promise<AddressInfo>;
  /**
   * Takes no new connection, closes those without a request, waits for the answers in work, and closes a connection with the next
   * answer on it: a client that asks and asks would be cut in the middle of one at the end. Cuts the rest (F15).
   */
  drain(drainMs: number): Promise<void>;
}

export interface ServerOptions {
  readonly tls?: TlsServerOptions | undefined;
  readonly classes?: EdgeClasses;
  /** Told of every connection first, so that one too many is closed before it costs anything. */
  readonly connections?: Pick<ConnectionLimits, "watch">;
  /** How long a client may take no piece of the answer it has. Default 60 s. */
  readonly stallMs?: number;
}

/** As long as a request may take to arrive. */
const STALL_MS = 60_000;

/** A server with the bounds an edge needs, whatever the process was told; HTTPS where there is `tls`. */
export function openServer(
  listener: RequestListener,
  { tls, classes, connections, stallMs = STALL_MS }: ServerOptions = {},
): EdgeServer {
  const { IncomingMessage, ServerResponse } = classes ?? {};
  const options = {
    ...serverTimeouts(),
    joinDuplicateHeaders: false,
    ...(IncomingMessage === undefined ? {} : { IncomingMessage }),
    ...(ServerResponse === undefined ? {} : { ServerResponse }),
  };
  const server: Server | SecureServer =
    tls === undefined ? createServer(options, listener) : createSecureServer({ ...options, ...tls.options }, listener);
  connections?.watch(server);
  if (tls !== undefined) tls.attach(server as SecureServer);
  // Without a listener Node answers an unknown expectation itself, with nothing.
  server.on("checkExpectation", listener);
  server.on("clientError", clientErrorHandler as (error: Error, socket: unknown) => void);
  // Of any silence, the kept connection's too; whoever waits for us may go on waiting.
  server.setTimeout(stallMs, (socket) => (awaitsAnswer(socket) ? socket.setTimeout(stallMs) : socket.destroy()));

  /** Connections that have not asked anything yet; Node does not count them as idle. */
  const silent = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }: IncomingMessage) => silent.delete(underlying(socket)));
  let isDraining = false;
  // First of all that hear of it: some answer at once. RFC 9112 section 9.6.
  server.prependListener("request", (_req: IncomingMessage, res: ServerResponse) => {
    if (isDraining) res.shouldKeepAlive = false;
  });

  return {
    listen: (at) =>
      new Promise((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException): void => reject(notBound(error, at));
        const onListening = (): void => {
          server.removeListener("error", onError);
          resolve(server.address() as AddressInfo);
        };
        server.once("error", onError);
        if ("handle" in at) server.listen(at.handle, onListening);
        else server.listen(at.port, at.host, onListening);
      }),
    async drain(drainMs) {
      tls?.close();
      isDraining = true;
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

/** It has read all there is of the answer in progress, which Node keeps on its socket. */
function awaitsAnswer(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage !== undefined && socket._httpMessage !== null && socket.writableLength === 0;
}

/** The TCP connection that carries a TLS one is what the server counted. */
function underlying(socket: Socket & { readonly _parent?: Socket | null }): Socket {
  return socket._parent ?? socket;
}

const UNBOUND: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use by another process or another listener of this one; end it, or name another `port`",
  EADDRNOTAVAIL: "is no address of this machine; change `host`",
  EACCES: "may not be taken by this user; name a `port` from 1024 on",
};

/** The system's code stays: what supervises the process goes by it. */
function notBound(error: NodeJS.ErrnoException, at: { readonly port: number; readonly host?: string }): Error {
  const advice = UNBOUND[error.code ?? ""];
  if (advice === undefined) return error;
  const place = at.host === undefined ? `port ${at.port}` : `${at.host}:${at.port}`;
  return Object.assign(new Error(`${place} ${advice}`, { cause: error }), { code: error.code });
}
