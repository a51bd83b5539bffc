import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Responses that wait for their turn, by connection. */
const waiting = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * A pipelined request is handled while an earlier one is not yet answered; its response waits without a connection. When the
 * connection ends before its turn, Node tells nobody: here it closes as every other does (A15, F13).
 */
export function closeWithConnection(res: ServerResponse): void {
  const socket = res.req.socket as Socket | undefined;
  if (socket === undefined) return;
  const known = waiting.get(socket);
  if (known === undefined) {
    waiting.set(socket, new Set([res]));
    socket.once("close", closeWaiting);
  } else known.add(res);
  res.once("close", leave);
}

function closeWaiting(this: Socket): void {
  for (const res of waiting.get(this) ?? []) {
    // One whose turn has come is Node's to close.
    if (res.socket !== null) continue;
    res.destroy();
    res.emit("close");
  }
}

function leave(this: ServerResponse): void {
  waiting.get(this.req.socket)?.delete(this);
}
