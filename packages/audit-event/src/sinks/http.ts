import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Findings } from "@wardline/policy-types";
import { type DeliveryError, refused, rejected, type SinkLimits, unreachable } from "../shipper/sink.ts";
import { lookAtSink, lookAtTls, type SinkShape } from "./options.ts";

/** What the sinks that speak HTTP have in common. */
export interface HttpSinkOptions {
  /** In events, and of the cursor's file. Default the kind of the sink. */
  readonly name?: string;
  /** https, or http on a loopback address. */
  readonly url: string;
  /** Beside those of the format, such as `Authorization`. A function is asked before each batch. */
  readonly headers?: Readonly<Record<string, string>> | (() => Promise<Readonly<Record<string, string>>>);
  /** Own authorities, own certificate. The receiver is verified always. */
  readonly tls?: Pick<AgentOptions, "ca" | "cert" | "key" | "passphrase" | "servername">;
  /** Deadline of one delivery, and how much one carries. */
  readonly limits?: Partial<SinkLimits>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

export type Post = (body: string, contentType: string, signal: AbortSignal) => Promise<HttpAnswer>;

/** Where a sink posts to, and how: its options, what it takes beside those of all, and the path below its URL. */
export interface PostFacts {
  /** As errors name it. */
  readonly where: string;
  readonly options: HttpSinkOptions;
  readonly shape: SinkShape;
  readonly path: string;
  /** In place of the options' own. */
  readonly headers?: HttpSinkOptions["headers"];
}

/**
 * Posts batches to one address over one connection. Redirects are not followed: a batch goes where the operator said.
 *
 * @throws {ConfigurationError} for a mistake in the options, and an address that is not https
 */
export function poster({ where, options, shape, path, headers = options.headers ?? {} }: PostFacts): Post {
  const { url, tls = {} } = options;
  const found = lookAtSink(options, { ...shape, others: ["url", "tls", ...(shape.others ?? [])] });
  lookAtTls(found, options.tls);
  if (typeof headers !== "function" && (typeof headers !== "object" || headers === null)) {
    found.add("headers", "malformed", "give an object of texts, or a function that gives one");
  }
  lookAtUrl(found, url);
  found.throwIfAny(where);
  const target = new URL(`${withoutEndSlashes(url)}${path}`);
  const secure = target.protocol === "https:";
  const agent = secure
    ? new HttpsAgent({ ...tls, keepAlive: true, maxSockets: 1, minVersion: "TLSv1.2", rejectUnauthorized: true })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });

  return async function post(body, contentType, signal) {
    const own = typeof headers === "function" ? await headers() : headers;
    const bytes = Buffer.from(body);
    const all = { ...own, "Content-Type": contentType, "Content-Length": bytes.length };
    return new Promise((resolve, reject) => {
      const options = { method: "POST", headers: all, agent, signal };
      const sent = (secure ? httpsRequest : httpRequest)(target, options, (res) => {
        readAnswer(res).then(resolve, (error: unknown) => reject(unreachable(error)));
      });
      sent.once("error", (error) => reject(unreachable(error)));
      sent.end(bytes);
    });
  };
}

/**
 * What a status that is not a success means. 400, 413 and 422 speak of the batch; everything else may pass: a token that
 * has run out, a server that is not there yet.
 */
export function failureOf({ status, retryAfterMs }: HttpAnswer): DeliveryError | undefined {
  if (isSuccess(status)) return undefined;
  return OF_THE_BATCH.has(status) ? rejected(String(status)) : refused(String(status), retryAfterMs);
}

/**
 * Fails for the statuses a receiver gave for each entry, unless all are successes or `known`, by which it says that it has
 * the entry already. What may pass is tried again first; those that were taken are known then.
 */
export function checkEntries(statuses: readonly number[], known?: number): void {
  const failed = statuses.filter((status) => !isSuccess(status) && status !== known);
  const passing = failed.find((status) => !OF_THE_BATCH.has(status));
  if (passing !== undefined) throw refused(`${passing} for an entry`);
  if (failed.length > 0) throw rejected(`${failed[0] ?? ""} for an entry`);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

const OF_THE_BATCH: ReadonlySet<number> = new Set([400, 413, 422]);

/** The JSON an answer has to hold. Without it nobody knows what the receiver took. */
export function jsonOf<Value>({ text }: HttpAnswer): Value {
  try {
    return JSON.parse(text) as Value;
  } catch {
    throw refused("with a body that is not JSON");
  }
}

async function readAnswer(res: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_ANSWER_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  return { status: res.statusCode ?? 0, text, retryAfterMs: retryAfter(res.headers["retry-after"]) };
}

/** Seconds or a date. @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function lookAtUrl(found: Findings, url: string): void {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  const loopback = base !== undefined && ["localhost", "127.0.0.1", "[::1]"].includes(base.hostname);
  if (base?.protocol !== "https:" && !(base?.protocol === "http:" && loopback)) {
    found.add("url", "malformed", "give an https address");
  }
}

function withoutEndSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end -= 1;
  return url.slice(0, end);
}

const MOST_ANSWER_BYTES = 16 * 1024 * 1024;
