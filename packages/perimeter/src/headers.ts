import { type Decision, deny, permit } from "@wardline/policy-types";
import type { HeaderFacts } from "./facts.ts";
import { type ProblemName, problemOf } from "./problems.ts";

export interface HeaderLimits {
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  /** Further headers that may stand once only, lower case. */
  readonly singletons?: readonly string[];
}

/** Headers of which a second line would let two readers disagree about who asks for what. */
const SINGLETONS: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "dpop",
  "client-cert",
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "if-match",
  "if-none-exist",
  "expect",
  "origin",
]);

/**
 * Judges the header lines: how many, how long, which characters, which repeats, and the Host.
 *
 * Does NOT judge what a header says, but for Host and Connection.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function decideHeaders(headers: HeaderFacts, limits: HeaderLimits): Decision<undefined> {
  const fault = findHeaderFault(headers, limits);
  return fault === undefined ? CLEAN : deny(problemOf(fault), [`headers: ${fault}`]);
}

const CLEAN = permit(undefined, ["clean headers"]);

function findHeaderFault(
  { count, bytes, lines }: HeaderFacts,
  { maxHeaders, maxHeaderBytes, singletons = [] }: HeaderLimits,
): ProblemName | undefined {
  if (count > maxHeaders) return "header-count";
  if (bytes > maxHeaderBytes) return "header-bytes";
  let repeated = false;
  for (const [name, values] of lines) {
    if (!isFieldValue(values[0] ?? "")) return "header-characters";
    if (values.length === 1) continue;
    if (!values.every(isFieldValue)) return "header-characters";
    repeated ||= SINGLETONS.has(name) || singletons.includes(name);
  }
  if (repeated) return "header-repeated";
  const host = lines.get("host")?.[0] ?? "";
  if (host === "") return "host-missing";
  if (!HOST.test(host)) return "host-invalid";
  if (lines.get("connection")?.every(isConnection) === false) return "connection-option";
  return undefined;
}

/** Printable ASCII, space and tab: other bytes have no agreed meaning in a header value. */
function isFieldValue(value: string): boolean {
  return !UNCLEAR.test(value);
}

const UNCLEAR = /[^\t\x20-\x7e]/;

/** RFC 3986 section 3.2.2, without user information: a name, an IPv4 address or a bracketed IPv6 address, and a port. */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * RFC 9110 section 7.6.1: an intermediary removes the headers Connection names. A client that names `Authorization`, or
 * an identity header a proxy adds, would have it removed after it was judged.
 */
function isConnection(value: string): boolean {
  return value.split(",").every((option) => CONNECTION_OPTIONS.has(option.trim().toLowerCase()));
}

const CONNECTION_OPTIONS: ReadonlySet<string> = new Set(["", "close", "keep-alive", "te", "upgrade", "http2-settings"]);
