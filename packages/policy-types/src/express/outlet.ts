import type { ServerResponse } from "node:http";
import type { AccessRecord } from "../access-record.ts";
import type { Problem } from "../decision.ts";
import { contextOf } from "./context.ts";
import { accessRecord, type RecordParts, recordParts } from "./record.ts";
import { keepHead } from "./response-headers.ts";

/** Runs when the answer is known and before any byte of it is sent. A problem it gives replaces the answer. */
export type Gate = (record: AccessRecord) => Problem | undefined | Promise<Problem | undefined>;

/** Sets and removes headers of an answer whose head is about to be sent. */
export type Settle = (res: ServerResponse) => void;

/** A piece of the body, or the end of the answer. */
export type Piece = Buffer | "end";

/** A response's own methods, as they were when it was hooked. */
export interface NativeResponse {
  readonly writeHead: (this: ServerResponse, ...args: unknown[]) => ServerResponse;
  readonly write: (this: ServerResponse, chunk: Buffer) => boolean;
  readonly end: (this: ServerResponse, chunk?: Buffer) => ServerResponse;
}

/**
 * The last step out: keeps what is ready until every gate has let it pass, then hands it to Node; tells the listeners
 * when it is over.
 */
export class Outlet {
  readonly native: NativeResponse;
  readonly gates: Gate[] = [];
  readonly settlers: Settle[] = [];
  readonly listeners: ((record: AccessRecord) => void)[] = [];
  /** True once the gates have let the answer pass: from then on the head is Node's to send. */
  passed = false;
  /** What comes behind a body is seen by no judge. */
  dropsTrailers = false;

  readonly #res: ServerResponse;
  readonly #answer: { refuse(problem: Problem): void };
  #asking = false;
  /** Puts the head of what waits back in place: one that is handed over is not changed any more, as in Node. */
  #putHeadBack: (() => void) | undefined;
  /** Of the head that waits. */
  #status = 0;
  #hasFailed = false;
  #parts: RecordParts | undefined;
  #queue: Piece[] = [];
  #sentBytes = 0;

  constructor(res: ServerResponse, answer: { refuse(problem: Problem): void }) {
    this.#res = res;
    this.#answer = answer;
    const { writeHead, write, end } = res as unknown as NativeResponse;
    this.native = { writeHead, write, end };
  }

  /** True once a piece has been handed over, kept or sent. */
  get begun(): boolean {
    return this.passed || this.#queue.length > 0;
  }

  /** Hands pieces on, or keeps them until the gates have settled. Returns false when the handler should pause. */
  emit(...pieces: Piece[]): boolean {
    if (this.passed) return this.#send(pieces);
    if (this.#asking && this.#res.statusCode !== this.#status) {
      // Of one whose head has left, a handler that fails would have had the connection cut.
      this.#answer.refuse(BROKEN_OFF);
      return false;
    }
    this.#queue.push(...pieces);
    this.#askOnce();
    return this.passed;
  }

  /** What was kept is not sent; these pieces are. Only before `passed`. */
  replace(...pieces: Piece[]): void {
    this.#queue = pieces;
    if (this.#asking) this.#keepHead();
    else this.#putHeadBack = undefined;
    this.#askOnce();
  }

  sendHead(args: readonly unknown[]): ServerResponse {
    const res = this.#res;
    if (!res.headersSent) for (const settle of this.settlers) settle(res);
    return this.native.writeHead.apply(res, args as unknown[]);
  }

  closed(): void {
    this.#queue = [];
    if (this.listeners.length === 0) return;
    const record = this.#record(this.#res.writableFinished, this.#sentBytes);
    for (const listener of this.listeners) {
      try {
        listener(record);
      } catch (error) {
        // Nobody's to catch, as before; those behind it, which may free a slot, are told (F13).
        process.nextTick(throwOn, error);
      }
    }
  }

  #askOnce(): void {
    if (this.passed || this.#asking) return;
    if (this.gates.length === 0) {
      this.#release();
      return;
    }
    this.#asking = true;
    this.#keepHead();
    const record = this.#record(true, wholeSize(this.#queue));
    void this.#ask(record).then((problem) => {
      this.#asking = false;
      // A gate's refusal is not gated again: there is nothing left to ask.
      this.gates.length = 0;
      if (problem !== undefined && !this.#res.destroyed) this.#answer.refuse(problem);
      else if (this.#release()) this.#res.emit("drain");
    });
  }

  #keepHead(): void {
    this.#putHeadBack = keepHead(this.#res);
    this.#status = this.#res.statusCode;
  }

  async #ask(record: AccessRecord): Promise<Problem | undefined> {
    try {
      for (const gate of this.gates) {
        const problem = await gate(record);
        if (problem !== undefined) return problem;
      }
      return undefined;
    } catch {
      return GATE_FAILED;
    }
  }

  /** Returns true when the handler may write on. */
  #release(): boolean {
    this.passed = true;
    const queue = this.#queue;
    this.#queue = [];
    if (this.#res.destroyed) return false;
    try {
      this.#putHeadBack?.();
      return this.#send(queue) && queue.at(-1) !== "end";
    } catch {
      this.#fail();
      return false;
    }
  }

  /** Node takes no such head: its status or a field is none that HTTP has. */
  #fail(): void {
    if (this.#res.headersSent || this.#hasFailed) {
      this.#res.destroy();
      return;
    }
    this.#hasFailed = true;
    this.passed = false;
    this.#answer.refuse(HEAD_MALFORMED);
  }

  /** The last piece goes with the end in one call, so that a short answer leaves in one packet. */
  #send(pieces: readonly Piece[]): boolean {
    const res = this.#res;
    let room = true;
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index] as Piece;
      if (piece === "end") {
        if (index === 0) this.#end();
      } else {
        this.#sentBytes += piece.length;
        if (pieces[index + 1] === "end") this.#end(piece);
        else room = this.native.write.call(res, piece);
      }
    }
    return room;
  }

  #end(last?: Buffer): void {
    const res = this.#res as ServerResponse & { _trailer?: string };
    // Node keeps them there until the end is written.
    if (this.dropsTrailers && res._trailer !== "") res._trailer = "";
    if (last === undefined) this.native.end.call(res);
    else this.native.end.call(res, last);
  }

  #record(completed: boolean, responseBytes: number | undefined): AccessRecord {
    const context = contextOf(this.#res.req);
    this.#parts = recordParts(context, this.#parts);
    const record = accessRecord(this.#res, this.#parts, { completed, responseBytes });
    context.record = record;
    return record;
  }
}

function throwOn(error: unknown): void {
  throw error;
}

function wholeSize(queue: readonly Piece[]): number | undefined {
  if (queue.at(-1) !== "end") return undefined;
  return queue.reduce((sum, piece) => sum + (piece === "end" ? 0 : piece.length), 0);
}

const GATE_FAILED: Problem = Object.freeze({
  code: "policy-types/gate-failed",
  status: 503,
  issue: "transient",
  detail: "The answer could not be released, so it is not sent.",
});
const BROKEN_OFF: Problem = Object.freeze({
  code: "policy-types/answer-broken-off",
  status: 500,
  issue: "exception",
  detail: "The server failed while it was answering, so the answer is not sent.",
});
const HEAD_MALFORMED: Problem = Object.freeze({
  code: "policy-types/answer-head-malformed",
  status: 500,
  issue: "exception",
  detail: "The answer's status or a header field is none that HTTP has, so the answer is not sent.",
});
