import type { IncomingMessage, ServerResponse } from "node:http";
import type { IdentityWriter } from "@wardline/perimeter";
import type { Decision, FhirVersion } from "@wardline/policy-types";
import {
  contextOf,
  gatherByTurn,
  Pieces,
  type RequestContext,
  readBody,
  sendProblem,
} from "@wardline/policy-types/express";
import { holdSlot } from "@wardline/tiered-throttle";
import { type Dispatcher, errors } from "undici";
import type { Health } from "../health.ts";
import {
  BACKENDS_MIXED,
  UPSTREAM_BROKE_OFF,
  UPSTREAM_TIMEOUT,
  UPSTREAM_UNEXPECTED,
  UPSTREAM_UNREACHABLE,
} from "../problems.ts";
import { Abort } from "./abort.ts";
import type { Backends } from "./backends.ts";
import { clientResponseHeaders, upstreamRequestHeaders } from "./headers.ts";
import type { IdempotencyStore } from "./idempotency.ts";
import { mediaTypeFor } from "./media.ts";
import { type Turn, takeTurn } from "./once.ts";
import { Pace } from "./pace.ts";
import { upstreamTarget } from "./target.ts";
import { isUnconnected, type Upstream, type UpstreamRequest } from "./upstream.ts";

export interface ForwardOptions {
  readonly requestBodyBytes: number;
  /** Told how the upstream does; what went wrong is never shown to the client. */
  readonly health: Pick<Health, "upstreamFailed" | "upstreamAnswered">;
  readonly idempotency: IdempotencyStore;
  /** Who is calling, for the upstream. Absent: it is not told. */
  readonly identity?: IdentityWriter;
  /** What the upstream is asked to speak. Absent: it is not told. */
  readonly fhirVersion?: FhirVersion;
  /** What is asked of the upstream. Default: the FHIR interaction that was judged. */
  readonly target?: typeof upstreamTarget;
}

/** Longer answers to keyed requests are not kept: a repeat is then told to wait until its time has run out. */
const KEPT_BYTES = 256 * 1024;

/**
 * Asks the upstream what was judged and hands its answer to the response, piece by piece. An answer that breaks off never
 * looks whole: before its first byte has left it becomes a 502, afterwards the connection is cut.
 *
 * Does NOT decide anything about access: everything it sends passes the response-body pipeline, a kept answer too.
 */
export async function forward(
  req: IncomingMessage,
  res: ServerResponse,
  backends: Backends,
  options: ForwardOptions,
): Promise<void> {
  const context = contextOf(req);
  const upstream = backends.forInteraction(context.interaction);
  if (upstream === undefined) return sendProblem(res, BACKENDS_MIXED);
  const body = await readBody(req, { limitBytes: options.requestBodyBytes });
  if (body.kind === "deny") return sendProblem(res, body.problem);
  context.upstream = upstream.name;
  const turn = await takeTurn(req, context, options.idempotency);
  switch (turn.kind) {
    case "refuse":
      return sendProblem(res, turn.problem);
    case "repeat":
      res.statusCode = turn.answer.status;
      setHeaders(res, turn.answer.headers);
      // RFC 9211: the audit trail and the client see that nothing was done again.
      res.setHeader("Cache-Status", "wardline; hit; detail=idempotency-key");
      res.end(turn.answer.body);
      return;
    case "plain":
      return exchange(req, res, upstream, options, undefined);
    case "once":
      return exchange(req, res, upstream, options, turn);
  }
}

type Once = Extract<Turn, { kind: "once" }>;

async function exchange(
  req: IncomingMessage,
  res: ServerResponse,
  upstream: Upstream,
  { health, identity, fhirVersion, target = upstreamTarget }: ForwardOptions,
  once: Once | undefined,
): Promise<void> {
  const context = contextOf(req);
  const abort = new Abort();
  // A keyed request is carried through when its client has gone, so that the client's next attempt finds what came of it.
  /** From then on `relay` ends what is left when the client goes. */
  let isAnswered = false;
  if (once === undefined) res.once("close", () => isAnswered || abort.abort());
  const body = bodyToSend(context);
  const headers = upstreamRequestHeaders(req.headers, context, { body, fhirVersion });
  if (identity !== undefined) Object.assign(headers, await identity.write(context));
  if (once !== undefined) headers["idempotency-key"] = `"${once.key}"`;
  const path = target(context, req.url ?? "/", upstream.basePath);
  const asked: UpstreamRequest = { method: req.method ?? "GET", path, headers, body, abort };
  // F13: what is carried through keeps its slots for as long as the upstream works on it.
  const letGo = once === undefined ? () => undefined : holdSlot(req);
  let decision: Decision<Dispatcher.ResponseData>;
  try {
    decision = await upstream.request(asked);
  } catch (error) {
    letGo();
    // After anything else nobody knows whether it was done, and it is never done again under this key (F2).
    if (isUnconnected(error)) once?.claim.forget();
    if (res.destroyed && once === undefined) return;
    health.upstreamFailed(upstream.name, error);
    return sendProblem(res, isTimeout(error) ? UPSTREAM_TIMEOUT : UPSTREAM_UNREACHABLE);
  }
  if (decision.kind === "deny") {
    letGo();
    // It was never asked, or given up half-way: only the first may be tried again under the same key.
    if (decision.problem.status === 503) once?.claim.forget();
    return sendProblem(res, decision.problem);
  }
  const answer = decision.grant;
  answer.body.once("close", letGo);
  if (res.destroyed && once === undefined) {
    // A probe of the circuit was answered, and nobody is left to read it.
    answer.body.on("error", () => undefined).destroy();
    return;
  }
  if (!isAnswer(answer.statusCode)) {
    answer.body.on("error", () => undefined).destroy();
    health.upstreamFailed(upstream.name, new Error(`unexpected status ${answer.statusCode}`));
    return sendProblem(res, UPSTREAM_UNEXPECTED);
  }
  const passing = clientResponseHeaders(answer.statusCode, answer.headers);
  if (once !== undefined) keepAnswer(answer, passing, once);
  res.statusCode = answer.statusCode;
  setHeaders(res, passing);
  isAnswered = true;
  relay(answer.body, res, upstream, health, once !== undefined);
}

function setHeaders(res: ServerResponse, headers: readonly (readonly [name: string, value: string])[]): void {
  const { req } = res;
  for (const [name, value] of headers) {
    res.setHeader(name, name === "content-type" ? mediaTypeFor(value, req.headers.accept, req.url ?? "") : value);
  }
}

function keepAnswer(
  { statusCode: status, body }: Dispatcher.ResponseData,
  headers: readonly (readonly [string, string])[],
  { claim }: Once,
): void {
  // RFC 9110 sections 15.6.3 and 15.6.5: a proxy on the way says that it does not know what the server has done (F2).
  if (status === 502 || status === 504) return;
  // The upstream did nothing, and says that another attempt may do better.
  if (status >= 500 || status === 429) {
    claim.forget();
    return;
  }
  const kept = new Pieces();
  let isTooLong = false;
  body.on("data", (chunk: Buffer) => {
    isTooLong ||= kept.size + chunk.length > KEPT_BYTES;
    if (isTooLong) kept.drop();
    else kept.add(chunk);
  });
  body.once("end", () => {
    if (!isTooLong) claim.keep({ status, headers, body: kept.takeCopy() });
  });
}

/** Answers that arrive together are judged together. */
const atTurnsEnd = gatherByTurn();

/** Hands the answer's body on, piece by piece; what breaks off before its first byte has left becomes a 502, or a 504. */
export function relay(
  body: Dispatcher.ResponseData["body"],
  res: ServerResponse,
  { name, bodyTimeoutMs }: Pick<Upstream, "name" | "bodyTimeoutMs">,
  health: ForwardOptions["health"],
  toTheEnd: boolean,
): void {
  const { transforms } = contextOf(res.req);
  const pace = new Pace(bodyTimeoutMs, performance.now());
  body.on("data", (chunk: Buffer) => {
    if (pace.isTooSlow(chunk.length, performance.now())) body.destroy(new errors.BodyTimeoutError("too slow"));
    else if (!res.destroyed && !res.write(chunk)) body.pause();
  });
  res.on("drain", () => {
    pace.restart(performance.now());
    body.resume();
  });
  body.once("end", () => {
    health.upstreamAnswered(name);
    const end = (): void => {
      if (!res.destroyed) res.end();
    };
    // What nobody judges has left already, and its memory with it.
    if (transforms.length === 0) end();
    else atTurnsEnd(end);
  });
  body.once("error", (error) => {
    if (res.destroyed || res.writableFinished) return;
    health.upstreamFailed(name, error);
    sendProblem(res, isTimeout(error) ? UPSTREAM_TIMEOUT : UPSTREAM_BROKE_OFF);
  });
  res.once("close", () => {
    if (body.readableEnded) return;
    if (toTheEnd) body.resume();
    else body.destroy();
  });
}

/** What smart-auth rewrote, or the bytes as received: a body is never serialised anew because it was looked at. */
function bodyToSend({ body, rewritten }: RequestContext): Buffer | undefined {
  if (rewritten?.body !== undefined) return Buffer.from((body?.stringify ?? JSON.stringify)(rewritten.body));
  if (rewritten?.form !== undefined) return Buffer.from(rewritten.form);
  return body?.bytes === undefined || body.bytes.length === 0 ? undefined : body.bytes;
}

/**
 * A redirect would lead the client around the edge; 401 and 407 ask this edge for credentials, not the client. Beyond 599 is no
 * status of HTTP (RFC 9110 section 15).
 */
function isAnswer(status: number): boolean {
  return (status >= 200 && status < 300) || (status >= 400 && status < 600 && status !== 401 && status !== 407);
}

export function isTimeout(error: unknown): boolean {
  return error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
}
