import type { RequestHandler } from "express";

/**
 * Several stages as one: each after the one before has gone on, and each goes on once, so that no stage is passed over by one
 * that says it twice. A stage that throws, rejects or goes on with anything ends the order, and that goes on as an error: `next`
 * has no words here, `"route"` neither. Express asks of each of its layers whether the path is meant, and makes six functions
 * to find out; stages that are all meant need none of it.
 */
export function inOrder(stages: readonly RequestHandler[]): RequestHandler {
  return function inOrderMiddleware(req, res, leave) {
    enter(0);

    function enter(at: number): void {
      const stage = stages[at];
      if (stage === undefined) return leave();
      let hasGoneOn = false;
      const goOn = (error?: unknown): void => {
        // Whenever a stage fails, the request has failed.
        if (error !== undefined && error !== null) return leave(asError(error));
        if (hasGoneOn) return;
        hasGoneOn = true;
        enter(at + 1);
      };
      const fail = (failure: unknown): void => goOn(failure ?? new Error("a stage failed"));
      try {
        const done: unknown = stage(req, res, goOn);
        if (done instanceof Promise) done.catch(fail);
      } catch (failure) {
        fail(failure);
      }
    }
  };
}

/** Express takes some words for an order to skip, and passes others on as they are. */
function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error("a stage failed", { cause: failure });
}
