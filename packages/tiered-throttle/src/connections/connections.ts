import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import { hashKey, partitionOf } from "../keys.ts";
import { type ConnectionLimitOptions, parseConnections } from "./options.ts";
import { connectionsExceeded } from "./problems.ts";

export interface ConnectionsSnapshot {
  readonly open: number;
  readonly addresses: number;
  readonly clients: number;
  /** Connections closed on arrival. */
  readonly dropped: number;
  /** Requests refused for their client's connections. */
  readonly refused: number;
}

export interface ConnectionLimits {
  /** Counts this server's connections from now on; gives the function that stops it. */
  readonly watch: (server: Server) => () => void;
  /** Middleware of Express 4 and 5; mount it after smartAuth(). */
  readonly perClient: (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
  snapshot(): ConnectionsSnapshot;
}

/**
 * Limits open connections: per address as they arrive, before TLS costs anything, and per client as soon as a request has said who it
 * is. A connection belongs to the client that used it last.
 *
 * Does NOT answer a connection over its address's limit: it is closed without a word. Does NOT see through a proxy: name its
 * addresses in `exempt`.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function connectionLimits(options: ConnectionLimitOptions): ConnectionLimits {
  const { perAddress, perClient, total, ipv6Prefix, isExempt } = parseConnections(options);
  const addresses = new Map<string, number>();
  const clients = new Map<string, number>();
  /** Which client uses a connection. Holds open connections only. */
  const users = new Map<Socket, string>();
  const open = new Set<Socket>();
  let dropped = 0;
  let refused = 0;

  return {
    watch(server) {
      server.on("connection", arrive);
      return () => void server.off("connection", arrive);
    },
    perClient(req, res, next) {
      const { socket } = req;
      const { principal } = contextOf(req);
      if (perClient === undefined || principal === undefined || socket.destroyed) return next();
      const { parts } = partitionOf("client", { principal, address: socket.remoteAddress }, ipv6Prefix);
      const client = hashKey(parts);
      const code = connectionsExceeded().code;
      if (users.get(socket) !== client && !adopt(socket, client, perClient)) {
        refused += 1;
        const because = ["the client has as many connections as it may"];
        recordDecision(req, { control: "tiered-throttle-connections", kind: "deny", because, code });
        sendProblem(res, connectionsExceeded());
        return;
      }
      const because = ["within the client's connections"];
      recordDecision(req, { control: "tiered-throttle-connections", kind: "permit", because });
      next();
    },
    snapshot: () => ({ open: open.size, addresses: addresses.size, clients: clients.size, dropped, refused }),
  };

  function arrive(socket: Socket): void {
    const { remoteAddress } = socket;
    const exempt = remoteAddress !== undefined && isExempt(remoteAddress);
    const { parts } = partitionOf("address", { principal: undefined, address: remoteAddress }, ipv6Prefix);
    const address = hashKey(parts);
    const full = total !== undefined && open.size >= total;
    if (full || (!exempt && perAddress !== undefined && (addresses.get(address) ?? 0) >= perAddress)) {
      dropped += 1;
      socket.destroy();
      return;
    }
    open.add(socket);
    if (!exempt) increment(addresses, address);
    socket.once("close", () => {
      open.delete(socket);
      if (!exempt) decrement(addresses, address);
    });
  }

  function adopt(socket: Socket, client: string, most: number): boolean {
    if ((clients.get(client) ?? 0) >= most) return false;
    const before = users.get(socket);
    if (before === undefined) socket.once("close", () => abandon(socket));
    else decrement(clients, before);
    users.set(socket, client);
    increment(clients, client);
    return true;
  }

  function abandon(socket: Socket): void {
    const client = users.get(socket);
    users.delete(socket);
    if (client !== undefined) decrement(clients, client);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
