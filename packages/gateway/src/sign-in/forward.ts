import type { Decision, Problem } from "@wardline/policy-types";
import { contextOf, readBody, sendProblem } from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import type { Dispatcher } from "undici";
import type { Health } from "../health.ts";
import { UPSTREAM_TIMEOUT, UPSTREAM_UNEXPECTED, UPSTREAM_UNREACHABLE } from "../problems.ts";
import { Abort } from "../proxy/abort.ts";
import { isTimeout, relay } from "../proxy/forward.ts";
import type { Upstream } from "../proxy/upstream.ts";
import { type SignInHeaderFacts, signInRequestHeaders, signInResponseHeaders } from "./headers.ts";

export interface SignInForwardOptions extends SignInHeaderFacts {
  readonly upstream: Upstream;
  readonly requestBodyBytes: number;
  readonly health: Pick<Health, "upstreamFailed" | "upstreamAnswered">;
}

/**
 * Asks the authorisation server what was asked, byte for byte, and gives its answer: redirects, cookies and demands for
 * credentials are meant for the client here. Asks once only: a code or an assertion counts once.
 *
 * Does NOT judge the answer: it holds tokens and pages, no records.
 */
export async function forwardSignIn(req: Request, res: Response, options: SignInForwardOptions): Promise<void> {
  const { upstream, publicOrigin, requestBodyBytes, health } = options;
  const context = contextOf(req);
  const body = await readBody(req, { limitBytes: requestBodyBytes });
  if (body.kind === "deny") return sendProblem(res, body.problem);
  const { bytes } = body.grant;
  const hasBody = bytes !== undefined && bytes.length > 0;
  context.upstream = upstream.name;
  const abort = new Abort();
  let isAnswered = false;
  res.once("close", () => isAnswered || abort.abort());
  let decision: Decision<Dispatcher.ResponseData>;
  try {
    decision = await upstream.request({
      method: context.method,
      path: context.originalUrl,
      headers: {
        ...signInRequestHeaders(req, context, options),
        ...(hasBody ? { "content-length": String(bytes.length) } : {}),
      },
      ...(hasBody ? { body: bytes } : {}),
      abort,
    });
  } catch (error) {
    if (res.destroyed) return;
    health.upstreamFailed(upstream.name, error);
    return sendProblem(res, isTimeout(error) ? TIMEOUT : UNREACHABLE);
  }
  if (decision.kind === "deny") return sendProblem(res, decision.problem);
  const { statusCode, headers, body: answer } = decision.grant;
  if (statusCode < 200 || statusCode > 599 || statusCode === 407) {
    answer.on("error", () => undefined).destroy();
    health.upstreamFailed(upstream.name, new Error(`unexpected status ${statusCode}`));
    return sendProblem(res, UNEXPECTED);
  }
  res.statusCode = statusCode;
  for (const [name, value] of signInResponseHeaders(headers)) res.setHeader(name, value);
  const location = res.getHeader("location");
  if (typeof location === "string") res.setHeader("location", publicLocation(location, upstream, publicOrigin));
  isAnswered = true;
  relay(answer, res, upstream, health, false);
}

/** A server that does not know its public name would lead clients around the edge. */
function publicLocation(location: string, upstream: Upstream, publicOrigin: string): string {
  const origins = upstream.baseUrls().map((url) => new URL(url).origin);
  const origin = origins.find((one) => location === one || location.startsWith(`${one}/`));
  return origin === undefined ? location : publicOrigin + location.slice(origin.length);
}

const SERVER = "The authorization server";
const UNREACHABLE: Problem = { ...UPSTREAM_UNREACHABLE, detail: `${SERVER} cannot be reached.` };
const TIMEOUT: Problem = { ...UPSTREAM_TIMEOUT, detail: `${SERVER} did not answer in time.` };
const UNEXPECTED: Problem = {
  ...UPSTREAM_UNEXPECTED,
  detail: `${SERVER} gave an answer that cannot be passed on.`,
};
