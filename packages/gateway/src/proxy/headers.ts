import type { IncomingHttpHeaders } from "node:http";
import type { FhirVersion } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";

/**
 * Request headers an upstream gets to see. A list of what passes, because what an upstream might obey cannot be listed.
 * `If-None-Match` and `If-Modified-Since` are answered by this edge, after the answer was judged (A9).
 *
 * Does NOT pass `Authorization`: the client's token is for this edge, and an upstream has no use for it.
 */
const REQUEST_HEADERS = ["prefer", "if-match", "if-none-exist"] as const;

/** Response headers a client gets to see; the rest tells what runs behind the edge. */
const RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "content-location",
  "etag",
  "last-modified",
  "location",
  "preference-applied",
  "retry-after",
  "expires",
  "x-progress",
]);

const FHIR_JSON = "application/fhir+json";

export function upstreamRequestHeaders(
  headers: IncomingHttpHeaders,
  context: RequestContext,
  { body, fhirVersion }: { readonly body?: Buffer | undefined; readonly fhirVersion?: FhirVersion | undefined },
): Record<string, string> {
  const fhirJson = fhirVersion === undefined ? FHIR_JSON : `${FHIR_JSON}; fhirVersion=${fhirVersion}`;
  const sent: Record<string, string> = {
    accept: context.media === "json" ? "application/json, */*;q=0.1" : fhirJson,
    // What is judged must be read, and compressing it between neighbours costs more than it saves.
    "accept-encoding": "identity",
    "x-request-id": context.requestId,
  };
  for (const name of REQUEST_HEADERS) {
    const value = headers[name];
    if (typeof value === "string") sent[name] = value;
  }
  if (context.correlationId !== undefined) sent["x-correlation-id"] = context.correlationId;
  if (context.traceparent !== undefined) sent["traceparent"] = context.traceparent;
  if (body === undefined) return sent;
  sent["content-length"] = String(body.length);
  const contentType = headers["content-type"];
  if (contentType === undefined) return sent;
  const isFhirJson = /^application\/fhir\+json\s*(?:;|$)/i.test(contentType);
  sent["content-type"] = fhirVersion !== undefined && isFhirJson ? fhirJson : contentType;
  return sent;
}

/** Names listed in `Connection` are hop-by-hop too, whatever they are called. @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
export function clientResponseHeaders(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): [name: string, value: string][] {
  const named = namedInConnection(headers["connection"]);
  const passing: [name: string, value: string][] = [];
  for (const name in headers) {
    const value = headers[name];
    // Of work that goes on (FHIR Asynchronous Request Pattern): elsewhere it would be words of the upstream's own.
    if (name === "x-progress" && status !== 202) continue;
    if (typeof value === "string" && RESPONSE_HEADERS.has(name) && !named.has(name)) passing.push([name, value]);
  }
  return passing;
}

function namedInConnection(connection: string | string[] | undefined): ReadonlySet<string> {
  // What nearly every answer says names no header.
  if (connection === undefined || connection === "keep-alive" || connection === "close") return NONE;
  return new Set(
    String(connection)
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}

const NONE: ReadonlySet<string> = new Set();
