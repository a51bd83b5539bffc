import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import {
  createServer as createSecureServer,
  type ServerOptions as SecureOptions,
  type Server as SecureServer,
} from "node:https";
import { byTurn } from "./by-turn.ts";
import { edgeClasses } from "./edge-classes.ts";
import { keepFreedMemory } from "./heap.ts";
import type { EdgeApp } from "./one-shape.ts";

/** What `http.createServer` takes. */
export interface EdgeServerOptions extends Omit<ServerOptions, "IncomingMessage" | "ServerResponse"> {
  readonly tls?: undefined;
}

/** With `tls`, which holds what `https.createServer` takes besides, the server speaks HTTPS. */
export interface SecureEdgeServerOptions extends Omit<ServerOptions, "IncomingMessage" | "ServerResponse"> {
  readonly tls: Omit<SecureOptions, "IncomingMessage" | "ServerResponse">;
}

/**
 * `http.createServer(options, app)` or `https.createServer(...)` for an Express app, whose requests and responses are born
 * with the app's prototypes instead of being given them one by one, and served together with those of the same turn (see
 * `byTurn`) from memory that is kept (see `keepFreedMemory`). Every answer is the one the plain server gives. An app whose prototypes cannot be carried is given Node's own
 * objects.
 *
 * Does NOT set any limit or timeout that the options do not name: see `serverTimeouts()` of @wardline/perimeter.
 */
export function createEdgeServer(app: RequestListener & EdgeApp, options: SecureEdgeServerOptions): SecureServer;
export function createEdgeServer(app: RequestListener & EdgeApp, options?: EdgeServerOptions): Server;
export function createEdgeServer(
  app: RequestListener & EdgeApp,
  { tls, ...options }: EdgeServerOptions | SecureEdgeServerOptions = {},
): Server | SecureServer {
  keepFreedMemory();
  const { follow, ...classes } = edgeClasses(app);
  const listener = byTurn(app);
  const server =
    tls === undefined
      ? createServer({ ...options, ...classes }, listener)
      : createSecureServer({ ...options, ...tls, ...classes }, listener);
  // What was added to the app's prototypes since may be something that Node's constructors cannot pass.
  server.on("listening", () => follow(app));
  return server;
}
