import type { ServerResponse } from "node:http";
import { mediaTypeOf } from "./media-type.ts";
import type { AnswerFacts, Json } from "./transform.ts";

/** Reads the head the handler has prepared. */
export function readFacts(res: ServerResponse, unit: "body" | "line"): AnswerFacts {
  return new Head(res, unit);
}

/** The headers are copied when somebody asks for them, which most judges never do. */
class Head implements AnswerFacts {
  readonly status: number;
  readonly mediaType: string;
  readonly unit: "body" | "line";
  readonly #res: ServerResponse;
  #headers: Readonly<Record<string, string>> | undefined;

  constructor(res: ServerResponse, unit: "body" | "line") {
    const contentType = res.getHeader("content-type");
    this.status = res.statusCode;
    this.mediaType = mediaTypeOf(contentType === undefined ? undefined : String(contentType));
    this.unit = unit;
    this.#res = res;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= textOf(this.#res.getHeaders());
    return this.#headers;
  }
}

/** Filled in a loop: this is made for every judged answer. */
function textOf(given: ReturnType<ServerResponse["getHeaders"]>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in given) headers[name] = String(given[name]);
  return headers;
}

/** Sets headers given as an object, as `[name, value, ...]` or as `[[name, value], ...]`; `undefined` removes. */
export function setHeaders(res: ServerResponse, headers: object | undefined): void {
  if (headers === undefined) return;
  const pairs = Array.isArray(headers) ? pairUp(headers as unknown[]) : Object.entries(headers as object);
  for (const [name, value] of pairs as [string, unknown][]) {
    if (value === undefined) res.removeHeader(name);
    else res.setHeader(name, value as string);
  }
}

function pairUp(flat: readonly unknown[]): (readonly [unknown, unknown])[] {
  if (Array.isArray(flat[0])) return flat as [unknown, unknown][];
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2], flat[index * 2 + 1]] as const);
}

/** Remembers a head; what it gives back puts that head in place again, whatever was changed since. */
export function keepHead(res: ServerResponse): () => void {
  const { statusCode, statusMessage } = res;
  const fields = res.getHeaders();
  return () => {
    res.statusCode = statusCode;
    res.statusMessage = statusMessage;
    for (const name of res.getHeaderNames()) if (fields[name] === undefined) res.removeHeader(name);
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value);
    }
  };
}

/** They name bytes, so they tell of what was left out of them. @see https://www.rfc-editor.org/rfc/rfc9530 */
export const DIGESTS: readonly string[] = ["Digest", "Content-Digest", "Repr-Digest", "Content-MD5"];

export function removeHeaders(res: ServerResponse, names: readonly string[]): void {
  for (const name of names) res.removeHeader(name);
}

/** Removes what described the withheld answer: a refusal keeps only the edge's own headers. */
export function removeHandlerHeaders(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (!OF_THE_EDGE.test(name)) res.removeHeader(name);
}

const OF_THE_EDGE =
  /^(?:access-control-.*|(?:x-)?ratelimit.*|retry-after|x-(?:request|correlation)-id|strict-transport-security|content-security-policy|cross-origin-.*|origin-agent-cluster|referrer-policy|x-content-type-options|x-frame-options|x-dns-prefetch-control|x-download-options|x-permitted-cross-domain-policies|x-xss-protection|cache-control|pragma|vary|date|connection|dpop-nonce|deprecation|sunset)$/;

/** FHIR's own tag names the version (R4 http.html, "Managing Resource Contention"); any other named bytes not sent. */
export function isVersionTag(tag: string, body: Json): boolean {
  const meta = body !== null && typeof body === "object" && !Array.isArray(body) ? body["meta"] : undefined;
  const version = meta !== null && typeof meta === "object" && !Array.isArray(meta) ? meta?.["versionId"] : undefined;
  return typeof version === "string" && tag === `W/"${version}"`;
}
