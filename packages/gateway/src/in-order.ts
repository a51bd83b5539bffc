import type { NextFunction, Request, RequestHandler, Response } from "express";

/**
 * Several stages as one: each after the one before has gone on. A stage that throws, rejects or goes on with an error ends
 * the order, and the error goes on. Express asks of each of its layers whether the path is meant, and makes six functions to
 * find out; stages that are all meant need none of it.
 */
export function inOrder(stages: readonly RequestHandler[]): RequestHandler {
  return function inOrderMiddleware(req, res, next) {
    new Walk(stages, req, res, next).goOn();
  };
}

class Walk {
  readonly #stages: readonly RequestHandler[];
  readonly #req: Request;
  readonly #res: Response;
  readonly #leave: NextFunction;
  #at = 0;

  constructor(stages: readonly RequestHandler[], req: Request, res: Response, leave: NextFunction) {
    this.#stages = stages;
    this.#req = req;
    this.#res = res;
    this.#leave = leave;
  }

  goOn = (error?: unknown): void => {
    const stage = this.#stages[this.#at];
    this.#at += 1;
    if (error !== undefined && error !== null) return this.#leave(error);
    if (stage === undefined) return this.#leave();
    try {
      const done: unknown = stage(this.#req, this.#res, this.goOn);
      if (done instanceof Promise)
        done.catch((failure: unknown) => this.#leave(failure ?? new Error("a stage failed")));
    } catch (failure) {
      this.#leave(failure);
    }
  };
}
