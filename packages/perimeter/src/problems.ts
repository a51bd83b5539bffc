import type { IssueType, Problem } from "@wardline/policy-types";

/** RFC 9112 section 6.3: after a body whose length is in doubt, the connection cannot be used again. */
const CLOSE: Readonly<Record<string, string>> = Object.freeze({ Connection: "close" });

/** The refusals of this package, by the part of the code after `perimeter/`. */
export type ProblemName =
  | "https-required"
  | "address-not-allowed"
  | "trust-proxy-open"
  | "http-version"
  | "method-not-allowed"
  | "method-override"
  | "framing-ambiguous"
  | "transfer-coding"
  | "body-unexpected"
  | "expectation-failed"
  | "header-count"
  | "header-bytes"
  | "header-characters"
  | "header-repeated"
  | "host-missing"
  | "host-invalid"
  | "connection-option"
  | "target-too-long"
  | "target-form"
  | "target-fragment"
  | "target-characters"
  | "target-encoding"
  | "path-separator"
  | "path-control"
  | "path-double-encoding"
  | "path-dot-segment"
  | "path-parameter"
  | "path-empty-segment"
  | "query-control"
  | "token-in-query"
  | "hostile-input"
  | "host-not-ours"
  | "zone-address-not-allowed"
  | "route-is-private"
  | "request-timeout"
  | "request-unreadable";

const PROBLEMS: Readonly<Record<ProblemName, Omit<Problem, "code">>> = {
  "https-required": problem(403, "security", "This server is reached over HTTPS only."),
  "address-not-allowed": problem(403, "security", "Requests from this network are not accepted here."),
  "trust-proxy-open": problem(500, "exception", "The server is not assembled to answer this request safely."),

  "http-version": problem(505, "not-supported", "This server speaks HTTP/1.1.", CLOSE),
  "method-not-allowed": problem(405, "not-supported", "This server does not answer this method."),
  "method-override": problem(400, "security", "A method cannot be changed by a header or a parameter."),
  "framing-ambiguous": problem(400, "structure", "The length of the request body is ambiguous.", CLOSE),
  "transfer-coding": problem(501, "not-supported", "Request bodies are sent whole or chunked, in no other way.", CLOSE),
  "body-unexpected": problem(400, "structure", "A request with this method has no body.", CLOSE),
  "expectation-failed": problem(417, "not-supported", "The only expectation this server meets is 100-continue."),

  "header-count": problem(431, "too-long", "The request has more headers than this server accepts."),
  "header-bytes": problem(431, "too-long", "The request's headers are longer than this server accepts."),
  "header-characters": problem(400, "structure", "A header holds a character that header values may not hold."),
  "header-repeated": problem(400, "structure", "A header that may be sent once was sent more than once."),
  "host-missing": problem(400, "required", "The request names no host."),
  "host-invalid": problem(400, "value", "The Host header is not a host with an optional port."),
  "connection-option": problem(400, "security", "The Connection header names a header that is not its to remove."),

  "target-too-long": problem(414, "too-long", "The request's URL is longer than this server accepts."),
  "target-form": problem(400, "structure", "A request is sent to a path that begins with a slash."),
  "target-fragment": problem(400, "structure", "A request's URL has no fragment."),
  "target-characters": problem(400, "structure", "The request's URL holds a character that must be percent-encoded."),
  "target-encoding": problem(400, "structure", "The request's URL is not percent-encoded UTF-8."),
  "path-separator": problem(400, "security", "The request's path holds a backslash or an encoded separator."),
  "path-control": problem(400, "security", "The request's path holds a control character."),
  "path-double-encoding": problem(400, "security", "The request's path is percent-encoded twice."),
  "path-dot-segment": problem(400, "security", "The request's path holds a dot segment."),
  "path-parameter": problem(400, "security", "The request's path holds a semicolon."),
  "path-empty-segment": problem(400, "security", "The request's path holds an empty segment."),
  "query-control": problem(400, "security", "The request's query holds a control character."),
  "token-in-query": problem(400, "security", "An access token is sent in the Authorization header, never in the URL."),

  "hostile-input": problem(400, "security", "The request holds what looks like an attack."),
  "host-not-ours": problem(421, "security", "This server does not answer for the host the request names."),
  "zone-address-not-allowed": problem(403, "security", "Requests of this kind are not accepted from this network."),
  "route-is-private": problem(403, "security", "This part of the server is reached from inside its network only."),

  "request-timeout": problem(408, "timeout", "The request did not arrive in time."),
  "request-unreadable": problem(400, "structure", "What was sent is not an HTTP request."),
};

/** The refusal of that name, with headers only this instance knows (`Allow`). */
export function problemOf(name: ProblemName, headers?: Readonly<Record<string, string>>): Problem {
  const known = PROBLEMS[name];
  return Object.freeze({
    code: `perimeter/${name}`,
    ...known,
    ...(headers === undefined ? {} : { headers: { ...known.headers, ...headers } }),
  });
}

function problem(
  status: number,
  issue: IssueType,
  detail: string,
  headers?: Readonly<Record<string, string>>,
): Omit<Problem, "code"> {
  return Object.freeze({ status, issue, detail, ...(headers === undefined ? {} : { headers }) });
}
