import type { IncomingMessage } from "node:http";
import type { RequestContext } from "@wardline/policy-types/express";

/** What an authorisation server reads: the client's credentials, its proof, the browser's session. */
const REQUEST_HEADERS = [
  "accept",
  "accept-language",
  "authorization",
  "content-type",
  "cookie",
  "dpop",
  "origin",
  "user-agent",
] as const;

const RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  "allow",
  "content-encoding",
  "content-language",
  "content-length",
  "content-security-policy",
  "content-type",
  "dpop-nonce",
  "location",
  "pragma",
  "retry-after",
  "set-cookie",
  "www-authenticate",
]);

export interface SignInHeaderFacts {
  readonly publicOrigin: string;
  /** The certificate the client proved to hold, here or to a trusted terminator. */
  readonly certificateOf: (req: IncomingMessage) => Buffer | undefined;
}

/** Where the request came from and by which name, from what this edge knows and not from what the client wrote (S4). */
export function signInRequestHeaders(
  req: IncomingMessage,
  context: RequestContext,
  { publicOrigin, certificateOf }: SignInHeaderFacts,
): Record<string, string> {
  const { protocol, host, port } = new URL(publicOrigin);
  const sent: Record<string, string> = {
    "accept-encoding": "identity",
    "x-request-id": context.requestId,
    "x-forwarded-proto": protocol.slice(0, -1),
    "x-forwarded-host": host,
    "x-forwarded-port": port === "" ? (protocol === "https:" ? "443" : "80") : port,
  };
  const address = context.clientAddress ?? context.transport.peerAddress;
  if (address !== undefined) sent["x-forwarded-for"] = address;
  for (const name of REQUEST_HEADERS) {
    const value = req.headers[name];
    if (typeof value === "string") sent[name] = value;
  }
  const certificate = certificateOf(req);
  // RFC 9440: tokens bound to a certificate are bound to the one that was shown here (RFC 8705).
  if (certificate !== undefined) sent["client-cert"] = `:${certificate.toString("base64")}:`;
  if (context.correlationId !== undefined) sent["x-correlation-id"] = context.correlationId;
  if (context.traceparent !== undefined) sent["traceparent"] = context.traceparent;
  return sent;
}

export function signInResponseHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): [name: string, value: string | string[]][] {
  return Object.entries(headers).filter(
    (pair): pair is [string, string | string[]] =>
      RESPONSE_HEADERS.has(pair[0]) && (typeof pair[1] === "string" || pair[0] === "set-cookie"),
  );
}
