import { EventEmitter } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";

/** What of an Express app a server needs to know. Any Express 4 or 5 app is one. */
export interface EdgeApp {
  readonly request: object;
  readonly response: object;
}

/**
 * Gives a request or response whose prototype Express has exchanged the shape that all such have. V8 makes each of them a
 * shape of its own, which no code has seen before: wherever a member is looked for, it is sought anew. An object that has
 * lost a member is a dictionary, and alike dictionaries have one shape. Nothing else becomes of it.
 *
 * Does NOT touch Node's own objects, nor those of `edgeClasses`, whose shapes V8 knows.
 */
export function giveOneShape(carrier: IncomingMessage | ServerResponse): void {
  const prototype: unknown = Object.getPrototypeOf(carrier);
  if (prototype === IncomingMessage.prototype || prototype === ServerResponse.prototype || Shaped.is(carrier)) return;
  loseMember(carrier);
}

function loseMember(carrier: object): void {
  const losing: { wardlineLost?: boolean; wardlineLast?: boolean } = carrier;
  losing.wardlineLost = true;
  losing.wardlineLast = true;
  // In this order: what was added last could be taken back without a trace.
  delete losing.wardlineLost;
  delete losing.wardlineLast;
}

/**
 * Gives a request and its response the prototypes of the Express app that is asked next, as the app itself does first of all, and
 * one shape with them: what Express and every middleware then add, they add to a shape that V8 knows.
 */
export function prepareFor({ request, response }: EdgeApp, req: IncomingMessage, res: ServerResponse): void {
  if (Shaped.is(req)) return;
  prepare(req, request);
  prepare(res, response);
}

function prepare(carrier: object, prototype: object): void {
  Object.setPrototypeOf(carrier, prototype);
  loseMember(carrier);
  markAsShaped(carrier);
}

/**
 * Has the requests to come of this request's server prepared before Express is asked, if an Express app is all the server asks, and
 * the app that `req` is with. Nobody sees a difference: between the listener that does it and the app there is nothing.
 */
export function prepareThoseToCome(req: IncomingMessage): void {
  const { server } = req.socket as { readonly server?: unknown };
  if (!(server instanceof EventEmitter) || LOOKED_AT.has(server)) return;
  LOOKED_AT.add(server);
  const [app, ...others] = server.listeners("request");
  if (app === undefined || others.length > 0 || !isExpressApp(app) || Object.getPrototypeOf(req) !== app.request)
    return;
  server.prependListener("request", (next: IncomingMessage, res: ServerResponse) => {
    // Who has taken the app away since has a listener of another kind.
    if (server.listenerCount("request", app) === 1) prepareFor(app, next, res);
  });
}

const LOOKED_AT = new WeakSet<object>();

/** Its prototypes descend from Node's, so it gives them to what it is asked. */
export function isExpressApp(listener: object): listener is EdgeApp {
  const { request, response } = listener as Partial<EdgeApp>;
  return request instanceof IncomingMessage && response instanceof ServerResponse;
}

/** Says of an object that V8 knows its shape: it was born with its prototype, or prepared. */
export function markAsShaped(carrier: object): void {
  new Shaped(carrier);
}

function itself(carrier: object): object {
  return carrier;
}

const Itself: new (carrier: object) => object = itself as never;

/** Its private member is put on the object it is given, where nobody else can see it. */
class Shaped extends Itself {
  readonly #shaped = true;

  static is(carrier: object): boolean {
    return #shaped in carrier && carrier.#shaped;
  }
}
