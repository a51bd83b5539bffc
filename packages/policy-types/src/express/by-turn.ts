import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
// Not the global one, which tests of an app may have replaced by a clock of their own.
import { setImmediate } from "node:timers";
import { gatherInto } from "./gather.ts";
import { isExpressApp, prepareFor } from "./one-shape.ts";
import { writeTogether } from "./write-together.ts";

/**
 * Serves the requests that one turn of the event loop brings one right after the other, instead of each when it has been
 * read. A pipeline of controls is much code: gone through by many requests at once it stays in the processor's caches, and
 * the time goes that is spent on fetching it anew for each. Requests keep their order, and each its async context; one that
 * comes alone is served in the same turn. Answers of one turn are written together as well.
 *
 *     createServer(byTurn(app))
 *
 * Does NOT hold a request back for others to come.
 */
export function byTurn(listener: RequestListener): RequestListener {
  const atTurnsEnd = gatherByTurn();
  const app = isExpressApp(listener) ? listener : undefined;

  return function byTurnListener(req, res) {
    if (app !== undefined) prepareFor(app, req, res);
    writeTogether(req.socket);
    atTurnsEnd(() => {
      listener(req, res);
      if (req.socket.closed) process.nextTick(tellOfTheEnd, req, res);
    });
  };
}

/**
 * `byTurn` for an app on a server of its own: goes on with the request together with those of the same turn. Nothing is begun
 * for a client that has gone by then.
 */
export function joinTurn(res: ServerResponse, next: () => void): void {
  writeTogether(res.req.socket);
  if (isTurnsEnd) next();
  else goOnAtTurnsEnd(() => res.destroyed || res.req.socket.destroyed || next());
}

/** Gathers what a turn of the event loop brings, and does it at the turn's end: in order, each in its own async context. */
export function gatherByTurn(): (work: () => void) => void {
  return gatherInto((doAll) =>
    setImmediate(() => {
      isTurnsEnd = true;
      doAll();
      isTurnsEnd = false;
    }),
  );
}

/** What is done now is done together already. */
let isTurnsEnd = false;
const goOnAtTurnsEnd = gatherByTurn();

/** The connection ended before there was anybody to hear of it (A15, F13). */
function tellOfTheEnd(req: IncomingMessage, res: ServerResponse): void {
  req.destroy();
  req.emit("close");
  res.destroy();
  res.emit("close");
}
