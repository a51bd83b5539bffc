import { ServerResponse } from "node:http";
import type { WriteArguments } from "./chunks.ts";
import { closeWithConnection } from "./pipelined.ts";
import { isPlain } from "./plain.ts";

/** `Symbol.for`, so that two installed copies of this package hook a response once. */
export const ANSWER_KEY: unique symbol = Symbol.for("@wardline/answer/1") as never;

export type HookedResponse = ServerResponse & {
  json?: (this: ServerResponse, body: unknown) => unknown;
  send?: unknown;
  app?: { get?(setting: string): unknown };
};

/** What takes over a response's ways out. */
export interface WaysOut {
  writeHead(args: readonly unknown[]): ServerResponse;
  write(args: WriteArguments): boolean;
  end(args: WriteArguments): ServerResponse;
  json(args: readonly unknown[]): unknown;
  closed(): void;
}

export type Carrier<Answer extends WaysOut = WaysOut> = HookedResponse & { [ANSWER_KEY]?: Answer };

/** Puts ours in place of a response's ways out. */
export function hook(res: Carrier, answer: WaysOut): void {
  Object.defineProperty(res, ANSWER_KEY, { value: answer, enumerable: false });
  res.writeHead = hookedWriteHead as ServerResponse["writeHead"];
  res.write = hookedWrite as ServerResponse["write"];
  res.end = hookedEnd as ServerResponse["end"];
  res.flushHeaders = hookedFlushHeaders;
  res.writeEarlyHints = hookedEarlyHints;
  res.on("close", onClose);
  if (res.socket === null) closeWithConnection(res);
}

// The same functions for every response. A function made for one response and kept in it makes V8 carry dead responses
// over into the old generation: a fifth of all that a request allocates, as measured.

function hookedWriteHead(this: Carrier, ...args: unknown[]): ServerResponse {
  return (this[ANSWER_KEY] as WaysOut).writeHead(args);
}

function hookedWrite(this: Carrier, ...args: WriteArguments): boolean {
  return (this[ANSWER_KEY] as WaysOut).write(args);
}

function hookedEnd(this: Carrier, ...args: WriteArguments): ServerResponse {
  return (this[ANSWER_KEY] as WaysOut).end(args);
}

export function hookedJson(this: Carrier, ...args: unknown[]): unknown {
  return (this[ANSWER_KEY] as WaysOut).json(args);
}

/** The head is sent when the answer is. */
function hookedFlushHeaders(): void {
  return undefined;
}

/**
 * Whether what Express's `json` is given is what will arrive here: it is plain, and neither the application's settings nor a `send` or
 * an `end` of its own make something else of it.
 */
export function isWrittenAsGiven(res: Carrier, args: readonly unknown[]): boolean {
  if (args.length !== 1 || res.app?.get?.("json replacer") !== undefined) return false;
  return arrivesAsWritten(res) && isPlain(args[0]);
}

function arrivesAsWritten(res: Carrier): boolean {
  return res.write === hookedWrite && res.end === hookedEnd && isOfExpress(res, "send");
}

/** A method of Express itself, and not of the application: an own one, or one of its `app.response`. */
export function isOfExpress(res: Carrier, method: "json" | "send"): boolean {
  return res[method] !== undefined && res[method] === expressOf(Object.getPrototypeOf(res) as object)?.[method];
}

/** What Express has put between Node's response and the application's. */
function expressOf(prototype: object): HookedResponse | undefined {
  if (EXPRESS.has(prototype)) return EXPRESS.get(prototype);
  let owner: unknown = prototype;
  while (owner instanceof ServerResponse && Object.getPrototypeOf(owner) !== ServerResponse.prototype) {
    owner = Object.getPrototypeOf(owner);
  }
  const found = owner instanceof ServerResponse ? (owner as HookedResponse) : undefined;
  EXPRESS.set(prototype, found);
  return found;
}

/** By the prototype of responses, of which an application has one. */
const EXPRESS = new WeakMap<object, HookedResponse | undefined>();

/** RFC 8297 section 2: hints may be left out, and nothing of an answer leaves before it is judged. */
function hookedEarlyHints(_hints: unknown, done?: () => void): void {
  if (done !== undefined) process.nextTick(done);
}

function onClose(this: Carrier): void {
  this[ANSWER_KEY]?.closed();
}
