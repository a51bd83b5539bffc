import type { IncomingMessage } from "node:http";

/** Request headers later stages may see. Every other one is deleted, so that no handler obeys what nobody judged. */
export const STANDARD_REQUEST_HEADERS: readonly string[] = Object.freeze([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "access-control-request-headers",
  "access-control-request-method",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "dpop",
  "expect",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-exist",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "prefer",
  "range",
  "traceparent",
  "transfer-encoding",
  "user-agent",
  "x-correlation-id",
  "x-request-id",
]);

/** Headers that say who forwarded a request or who is calling: believed from trusted proxies only (S4). */
export const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  "client-cert",
  "client-cert-chain",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-client-cert",
  "x-real-ip",
]);

/**
 * Deletes from the request every header that is not in `allowed`, in all three forms Node offers: what was judged is what
 * is forwarded. Returns how many lines went.
 */
export function stripHeaders(req: IncomingMessage, allowed: (name: string) => boolean): number {
  const { rawHeaders } = req;
  if (allAllowed(rawHeaders, allowed)) return 0;
  const kept: string[] = [];
  const refused: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (allowed(name)) kept.push(rawHeaders[index] as string, rawHeaders[index + 1] as string);
    else refused.push(name);
  }
  // Node derives these two from the raw lines at the first reading, and counts on finding all of them.
  const { headers, headersDistinct } = req;
  for (const name of refused) {
    delete headers[name];
    delete headersDistinct[name];
  }
  req.rawHeaders = kept;
  return refused.length;
}

function allAllowed(rawHeaders: readonly string[], allowed: (name: string) => boolean): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!allowed((rawHeaders[index] as string).toLowerCase())) return false;
  }
  return true;
}

/** Whether any header claims that somebody else sent the request first. */
export function claimsForwarding(headers: IncomingMessage["headers"]): boolean {
  for (const name of FORWARDING_HEADERS) if (name in headers) return true;
  return false;
}
