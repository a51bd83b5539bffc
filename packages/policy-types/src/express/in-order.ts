import { asFailure } from "./failure.ts";

type Stage<Req, Res> = (req: Req, res: Res, next: (error?: unknown) => void) => unknown;

/**
 * Several middlewares as one: each after the one before has gone on, and each goes on once, so that no stage is passed over by
 * one that says it twice. A stage that throws, rejects or goes on with anything ends the order, and that goes on as an error:
 * `next` has no words here, `"route"` neither. Express asks of each of its layers whether the path is meant, and cuts and mends
 * the URL for it; stages that are all meant need none of it.
 *
 *     app.use("/fhir", inOrder([smartAuth(auth), tieredThrottle(limits), fhirSchema(), requireControls("patient")]));
 *
 * Does NOT take error handlers (of four parameters), nor paths within.
 */
export function inOrder<Req, Res>(
  stages: readonly Stage<Req, Res>[],
): (req: Req, res: Res, next: (error?: unknown) => void) => void {
  return function inOrderMiddleware(req, res, leave) {
    enter(0);

    function enter(at: number): void {
      const stage = stages[at];
      if (stage === undefined) return leave();
      let hasGoneOn = false;
      const goOn = (error?: unknown): void => {
        // Whenever a stage fails, the request has failed.
        if (error !== undefined && error !== null) return leave(asFailure(error));
        if (hasGoneOn) return;
        hasGoneOn = true;
        enter(at + 1);
      };
      try {
        const done: unknown = stage(req, res, goOn);
        if (done instanceof Promise) done.catch((failure: unknown) => goOn(asFailure(failure)));
      } catch (failure) {
        goOn(asFailure(failure));
      }
    }
  };
}
