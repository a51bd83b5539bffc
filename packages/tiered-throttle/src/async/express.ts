import type { IncomingMessage, ServerResponse } from "node:http";
import { asFailure, recordDecision, sendProblem } from "@wardline/policy-types/express";
import { createAnswers } from "./answers.ts";
import { ownerOf } from "./caller.ts";
import { withinDeadline } from "./deadline.ts";
import { createKickOff } from "./kick-off.ts";
import { type AsyncOperationsOptions, parseAsync } from "./options.ts";
import { asyncUnavailable, CALLER_UNKNOWN, JOB_UNKNOWN } from "./problems.ts";
import type { TierStanding } from "./queue.ts";
import { PASSED, type Reply, refused } from "./reply.ts";
import { type JobQuestion, prefersAsync, readQuestion } from "./request.ts";
import { createStorage } from "./storage.ts";
import { createPerform } from "./work.ts";

type Next = (error?: unknown) => void;

/** Middleware of Express 4 and 5. */
export interface AsyncOperations {
  (req: IncomingMessage, res: ServerResponse, next: Next): Promise<void>;
  /** Rejects when the jobs of the last run cannot be read: for the start-up. */
  ready(): Promise<void>;
  /** Removes what has expired; done every `sweepSeconds` by itself. */
  sweep(): Promise<void>;
  /** Where the tiers stand, for an operator's console. */
  snapshot(): Promise<readonly TierStanding[]>;
  /** F15: stops work and hands it back, to begin anew in the next process. */
  close(): Promise<void>;
}

/**
 * Answers slow operations later: a kick-off with `Prefer: respond-async` gets 202 and where to look; status, files and cancelling
 * are asked below `_async/`, by nobody but the caller who began (A8). Mount it at the FHIR base after smartAuth(), where the handler
 * stands: what leaves a file passes the guards of its own request, line by line.
 *
 * Does NOT decide who may export what, and does NOT judge a line itself.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 *
 * @see https://hl7.org/fhir/R4/async.html
 */
export function asyncOperations(options: AsyncOperationsOptions): AsyncOperations {
  const settings = parseAsync(options);
  const { queue, onError } = settings;
  const storage = createStorage(settings.files, settings.maxStoredBytes);
  const kickOff = createKickOff(settings, storage);
  const answers = createAnswers(settings);
  queue.work(createPerform(settings, storage));
  const timer = setInterval(() => void sweep().catch(onError), settings.sweepSeconds * 1000);
  timer.unref();

  async function sweepOnce(): Promise<void> {
    await queue.sweep();
    await storage.sweep((id) => queue.load(id));
  }
  /** One at a time: a slow disk must not be swept twice at once. */
  let sweeping: Promise<void> | undefined;
  function sweep(): Promise<void> {
    sweeping ??= sweepOnce().finally(() => {
      sweeping = undefined;
    });
    return sweeping;
  }

  async function reply(req: IncomingMessage, res: ServerResponse): Promise<Reply> {
    const { method = "GET", url = "/" } = req;
    const question = readQuestion(method, url);
    if (question !== undefined) return answer(req, res, question);
    const isKickOff = (method === "GET" || method === "POST") && prefersAsync(preferOf(req)) && settings.offers(req);
    return isKickOff ? kickOff(req, res) : PASSED;
  }

  async function answer(req: IncomingMessage, res: ServerResponse, question: JobQuestion): Promise<Reply> {
    const owner = ownerOf(settings.callerOf(req))?.owner;
    if (owner === undefined) return refused(CALLER_UNKNOWN, "the caller is not known");
    if (question.kind === "nothing") return refused(JOB_UNKNOWN, "nothing is there");
    const state = await withinDeadline(settings.storeDeadlineMs, queue.load(question.id));
    // A9: a stranger's job looks like none.
    if (state === undefined || state.job.owner !== owner) return refused(JOB_UNKNOWN, "no such job of the caller's");
    switch (question.kind) {
      case "status":
        return answers.status(res, state);
      case "cancel":
        return answers.cancel(res, state);
      case "file":
        return answers.file(res, state, question.at);
    }
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const done = await reply(req, res).catch((error: unknown) => {
      // A rule that throws, a queue that does not answer: nothing is started and nothing told.
      onError(error);
      return refused(asyncUnavailable(), "the queue of jobs or a rule failed");
    });
    if (done.kind === "refused") {
      const { problem, because } = done;
      recordDecision(req, { control: "tiered-throttle-async", kind: "deny", because: [because], code: problem.code });
      sendProblem(res, problem);
    }
    return done.kind === "passed";
  }

  async function asyncMiddleware(req: IncomingMessage, res: ServerResponse, next: Next): Promise<void> {
    let goesOn: boolean;
    try {
      goesOn = await handle(req, res);
    } catch (error) {
      // Express 4 does not carry a rejection to the error handler.
      next(asFailure(error));
      return;
    }
    if (goesOn) next();
  }

  return Object.assign(asyncMiddleware, {
    ready: () => queue.ready(),
    sweep,
    snapshot: () => queue.standings(),
    async close() {
      clearInterval(timer);
      await queue.close();
    },
  });
}

/** RFC 7240: several fields are one list. */
function preferOf({ headersDistinct }: IncomingMessage): string | undefined {
  return headersDistinct["prefer"]?.join(",");
}
