import type { Decision } from "@wardline/policy-types";
import {
  addTransform,
  closing,
  contextOf,
  readBody,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler } from "express";
import { answerJudge } from "../openapi/answers.ts";
import { decideBody, decideBodyHead, decideOperation, decideParameters } from "../openapi/decide.ts";
import type { Operation } from "../openapi/operations.ts";
import { type OpenApiOptions, type ParsedOpenApi, parseOpenApi } from "../openapi/options.ts";
import { requestTexts } from "../openapi/texts.ts";

/**
 * Guards routes that are not FHIR by their OpenAPI 3.0 or 3.1 document: undeclared paths, methods, query parameters and
 * media types are refused, and parameters and JSON bodies that are not as declared; answers too, if asked to. Paths are
 * those below where it is mounted; the document's `servers` are not read.
 *
 * Does NOT authenticate anybody (`security` is not read), fetch anything, or judge bodies other than JSON beyond their
 * size. Does NOT change what the handler sees: values keep the text they came with.
 *
 * Throws a `ConfigurationError` with everything in the document that would not be judged.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiRoutes(document: object, options: OpenApiOptions = {}): RequestHandler {
  const settings = parseOpenApi(document, options);

  return closing(async function openApiMiddleware(req, res, next) {
    const context = contextOf(req);
    context.media = "json";
    const { decision, operation } = await decide(req, settings);
    recordDecision(req, {
      control: "fhir-schema",
      kind: decision.kind,
      because: decision.because,
      ...(decision.kind === "deny" ? { code: decision.problem.code } : {}),
    });
    if (decision.kind === "deny") return sendProblem(res, decision.problem);
    const { responses, onReport } = settings;
    if (operation !== undefined && responses !== "off") {
      const head = context.method === "HEAD";
      addTransform(res, answerJudge(operation, responses, { onReport, requestId: context.requestId, head }));
    }
    next();
  });
}

/** Cheapest first; the body is read when everything before it is as declared. */
async function decide(
  req: Request,
  { paths, requestBodyBytes, maxIssues }: ParsedOpenApi,
): Promise<{ readonly decision: Decision<unknown>; readonly operation?: Operation }> {
  const { path, query } = splitTarget(req.url);
  const { originalUrl, method } = contextOf(req);
  const found = decideOperation(paths, { path, originalPath: splitTarget(originalUrl).path, method });
  if (found.kind === "deny") return { decision: found };
  const { operation, pathTexts } = found.grant;
  const parameters = decideParameters(operation, requestTexts(pathTexts, query, req.rawHeaders), maxIssues);
  if (parameters.kind === "deny") return { decision: parameters };
  const head = decideBodyHead(operation, readBodyFacts(req));
  if (head.kind === "deny" || operation.body === undefined) return { decision: merged(found, head), operation };
  const read = await readBody(req, { limitBytes: requestBodyBytes, maxDepth: MAX_DEPTH });
  if (read.kind === "deny") return { decision: read };
  const { mediaType, json } = read.grant;
  const isJson = JSON_TYPE.test(mediaType);
  return { decision: merged(found, decideBody(operation.body, { mediaType, json, isJson })), operation };
}

function merged(first: Decision<unknown>, second: Decision<unknown>): Decision<unknown> {
  return { ...second, because: [...first.because, ...second.because] };
}

function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf("?");
  return mark === -1 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function readBodyFacts(req: Request): { readonly present: boolean; readonly mediaType: string } {
  const length = req.headers["content-length"];
  const present = req.headers["transfer-encoding"] !== undefined || (length !== undefined && !/^0+$/.test(length));
  const mediaType = (req.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  // What is no media type matches no range either: readers would not agree on what it is.
  return { present, mediaType: MEDIA_TYPE.test(mediaType) ? mediaType : "" };
}

/** Deeper than documents of any API, shallower than would hurt. */
const MAX_DEPTH = 64;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;
const JSON_TYPE = /^(?:application|text)\/json$|\+json$/;
