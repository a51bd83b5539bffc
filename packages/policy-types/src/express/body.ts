import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type Decision, deny, type Problem, permit } from "../decision.ts";
import { contextOf } from "./context.ts";
import { formObject } from "./form.ts";
import { findJsonTextFault } from "./json-text.ts";
import { parseLossless } from "./lossless.ts";
import { isJsonMediaType, mayNameOtherCharset, mediaTypeOf } from "./media-type.ts";
import { Pieces } from "./pieces.ts";
import type { RequestBody } from "./request-body.ts";
import type { Json } from "./transform.ts";

export interface BodyLimits {
  /** Largest body, before and after content coding, in bytes. */
  readonly limitBytes: number;
  /** Deepest nesting of JSON. Default 100. */
  readonly maxDepth?: number;
}

type ParsedCarrier = IncomingMessage & { body?: unknown; _body?: boolean; app?: object };

/**
 * Reads the request body within limits and leaves it in the request context; later calls get the same. Respects a body
 * parser that ran before, and keeps one that runs after from reading again.
 *
 * Refuses: too long (413), an unknown content coding or a charset other than UTF-8 (415), and for JSON: ill-formed UTF-8,
 * a byte order mark, bad syntax, repeated or forbidden names, nesting too deep (400), and a body that something before read
 * without leaving it in `req.body` (500).
 */
export async function readBody(req: IncomingMessage, limits: BodyLimits): Promise<Decision<RequestBody>> {
  const context = contextOf(req);
  if (context.body !== undefined) return permit(context.body, ["body already read"]);
  const carrier = req as ParsedCarrier;
  const decision =
    carrier._body === true || (carrier.body !== undefined && req.readableEnded)
      ? fromParser(carrier)
      : await fromStream(carrier, limits);
  if (decision.kind === "permit") context.body = decision.grant;
  return decision;
}

function fromParser(req: ParsedCarrier): Decision<RequestBody> {
  const mediaType = mediaTypeOf(req.headers["content-type"]);
  const because = ["body read by an earlier parser"];
  const { body } = req;
  if (Buffer.isBuffer(body)) return interpret(body, mediaType, DEFAULT_DEPTH);
  if (typeof body === "string") return interpret(Buffer.from(body), mediaType, DEFAULT_DEPTH);
  if (mediaType === FORM) return permit({ mediaType, form: formText(body) }, because);
  if (isJsonMediaType(mediaType) && body !== undefined) return permit({ mediaType, json: body as Json }, because);
  return permit({ mediaType }, because);
}

async function fromStream(req: ParsedCarrier, limits: BodyLimits): Promise<Decision<RequestBody>> {
  const mediaType = mediaTypeOf(req.headers["content-type"]);
  if (mayNameOtherCharset(req.headers["content-type"])) return deny(CHARSET, ["charset is not UTF-8"]);
  if (Number(req.headers["content-length"] ?? 0) > limits.limitBytes)
    return deny(TOO_LONG, ["Content-Length over limit"]);
  // Its end has been told to somebody else, and will not be told again.
  if (req.readableEnded) return hasBody(req) ? consumed(req) : permit({ mediaType }, ["no body"]);
  // RFC 9112 section 6.3: neither a length nor a coding is no body, so there is nothing to wait for.
  if (req.httpVersionMajor === 1 && !hasBody(req))
    return kept(req, permit({ mediaType, bytes: NO_BYTES }, ["no body"]));
  const source = decoded(req);
  if (source === undefined) return deny(CODING, ["unknown content coding"]);

  const bytes = await collect(req, source, limits.limitBytes);
  if (!Buffer.isBuffer(bytes)) return bytes;
  return kept(req, interpret(bytes, mediaType, limits.maxDepth ?? DEFAULT_DEPTH));
}

/** As a body parser leaves it. */
function kept(req: ParsedCarrier, decision: Decision<RequestBody>): Decision<RequestBody> {
  if (decision.kind === "permit") {
    const { json, form, bytes } = decision.grant;
    req._body = true;
    req.body = json ?? (form === undefined ? bytes : formObject(form));
  }
  return decision;
}

const NO_BYTES = Buffer.alloc(0);

function interpret(bytes: Buffer, mediaType: string, maxDepth: number): Decision<RequestBody> {
  if (bytes.length === 0) return permit({ mediaType, bytes }, ["no body"]);
  if (mediaType === FORM) return permit({ mediaType, bytes, form: bytes.toString("utf8") }, ["form body"]);
  if (!isJsonMediaType(mediaType)) return permit({ mediaType, bytes }, ["body is not JSON"]);
  try {
    const text = STRICT_UTF8.decode(bytes);
    // S9: before it is parsed, which takes a third of a second for 1 MiB of nothing but brackets.
    const fault = findJsonTextFault(text, maxDepth);
    if (fault !== undefined) return deny(MALFORMED, [`JSON text: ${fault}`]);
    const { body, stringify, hasOwnNumbers } = parseLossless(text);
    return permit({ mediaType, bytes, json: body, stringify, hasOwnNumbers }, ["JSON body"]);
  } catch {
    return deny(MALFORMED, ["not UTF-8 or not JSON"]);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function consumed(req: ParsedCarrier): Decision<never> {
  const app = req.app ?? req.socket;
  if (!WARNED.has(app)) {
    WARNED.add(app);
    const message =
      "something read a request body and left nothing in `req.body`: mount it after, or use express.json()";
    process.emitWarning(message, { code: "WARDLINE_BODY_CONSUMED" });
  }
  return deny(CONSUMED, ["the body was read before, and is not in `req.body`"]);
}

/** Applications that were told. */
const WARNED = new WeakSet<object>();

/** Refuses an unknown coding by `undefined`. @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
function decoded(req: IncomingMessage): Readable | undefined {
  switch (req.headers["content-encoding"]?.toLowerCase() ?? "identity") {
    case "identity":
      return req;
    case "gzip":
    case "x-gzip":
      return req.pipe(createGunzip());
    case "deflate":
      return req.pipe(createInflate());
    case "br":
      return req.pipe(createBrotliDecompress());
    default:
      return undefined;
  }
}

/** Counts after decoding, which bounds inflation too. */
function collect(req: IncomingMessage, source: Readable, limitBytes: number): Promise<Buffer | Decision<never>> {
  return new Promise((resolve) => {
    const pieces = new Pieces();
    const settle = (outcome: Buffer | Decision<never>): void => {
      source.removeListener("data", onData);
      if (source !== req) {
        req.unpipe();
        source.destroy();
      }
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      if (pieces.size + chunk.length > limitBytes) {
        req.pause();
        settle(deny(TOO_LONG, ["body over limit"]));
      } else pieces.add(chunk);
    };
    source.on("data", onData);
    source.once("end", () => settle(pieces.take()));
    source.once("error", () => settle(deny(MALFORMED, ["body broke off or could not be decoded"])));
    req.once("close", () => {
      if (!req.readableEnded) settle(deny(MALFORMED, ["client left before the body ended"]));
    });
  });
}

/** The form text again, from what a form parser made of it. Nested values, which FHIR searches never have, are dropped. */
function formText(body: unknown): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(body ?? {}) as [string, unknown][]) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof one === "string") pairs.append(name, one);
    }
  }
  return pairs.toString();
}

const FORM = "application/x-www-form-urlencoded";
const DEFAULT_DEPTH = 100;
/** `ignoreBOM: true` keeps a byte order mark in the text, where `JSON.parse` refuses it. */
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const MALFORMED: Problem = Object.freeze({
  code: "policy-types/body-malformed",
  status: 400,
  issue: "structure",
  detail: "The request body cannot be read as the JSON it claims to be.",
});
const TOO_LONG: Problem = Object.freeze({
  code: "policy-types/body-too-long",
  status: 413,
  issue: "too-long",
  detail: "The request body is longer than this server accepts.",
  headers: { Connection: "close" },
});
const CONSUMED: Problem = Object.freeze({
  code: "policy-types/body-consumed",
  status: 500,
  issue: "exception",
  detail: "The server is not assembled to read this request's body.",
});
const CHARSET: Problem = Object.freeze({
  code: "policy-types/charset-unsupported",
  status: 415,
  issue: "not-supported",
  detail: "FHIR bodies are UTF-8; the request names another charset.",
});
const CODING: Problem = Object.freeze({
  code: "policy-types/content-coding-unsupported",
  status: 415,
  issue: "not-supported",
  detail: "The request body's content coding is not supported; send it plain or as gzip, deflate or br.",
  headers: { "Accept-Encoding": "gzip, deflate, br" },
});
