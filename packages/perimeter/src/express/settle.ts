import type { ServerResponse } from "node:http";
import { contextOf, type RequestContext } from "@wardline/policy-types/express";
import {
  FINGERPRINT_HEADERS,
  type Headers,
  hstsHeader,
  INTERMEDIARY_ORDERS,
  NO_STORE,
  nameMatcher,
  securityHeaders,
  settleHeaders,
  takeOverCors,
} from "../answer-headers.ts";
import { corsHeaders } from "../cors.ts";
import type { ParsedOptions } from "../options.ts";

/** For `beforeHead`. */
export interface AnswerSettlers {
  /** Notes whether the answer may be stored, which `overTls` and `overPlainHttp` then say. */
  readonly foresee: (context: RequestContext) => void;
  readonly overTls: (res: ServerResponse) => void;
  readonly overPlainHttp: (res: ServerResponse) => void;
}

/**
 * What every answer says, whoever gives it: set when its head is about to leave, so that nothing is set after it. The same
 * two functions for all answers; what differs they find in the request's context.
 */
export function answerSettlers({
  hsts,
  removeHeaders,
  publicPaths,
  cors,
  keepContentPolicy,
}: ParsedOptions): AnswerSettlers {
  const defaults = Object.freeze({ ...securityHeaders(), ...NO_STORE });
  const isFingerprint = nameMatcher([...FINGERPRINT_HEADERS, ...removeHeaders]);
  const isIntermediaryOrder = nameMatcher(INTERMEDIARY_ORDERS);

  const settler = (sent: Headers | undefined): ((res: ServerResponse) => void) => {
    const refused = { defaults, hsts: sent, isFingerprint, isIntermediaryOrder, keepContentPolicy: false };
    const answered = { ...refused, keepContentPolicy };

    return (res) => {
      if (cors !== undefined) takeOverCors(res);
      const context = contextOf(res.req);
      const { requestId, correlationId, problem, mayBeStored } = context;
      settleHeaders(res, problem === undefined ? answered : refused, problem === undefined && mayBeStored);
      res.setHeader("x-request-id", requestId);
      if (correlationId !== undefined) res.setHeader("x-correlation-id", correlationId);
      if (cors === undefined) return;
      const allowed = corsHeaders(cors, res.req.headers.origin);
      for (const name in allowed) res.setHeader(name, allowed[name] as string);
    };
  };
  const foresee = (context: RequestContext): void => {
    context.mayBeStored = publicPaths.size > 0 && publicPaths.has(publicNameOf(context));
  };
  return { foresee, overTls: settler(hstsHeader(hsts)), overPlainHttp: settler(undefined) };
}

function publicNameOf({ method, originalUrl }: RequestContext): string {
  const mark = originalUrl.indexOf("?");
  return `${method} ${mark === -1 ? originalUrl : originalUrl.slice(0, mark)}`;
}
