import type { ServerOptions } from "node:http";
import { findings, refuseUnknownKeys } from "@wardline/policy-types";

export interface ServerTimeouts {
  /** Until the last header of a request. Default 10000. */
  readonly headersMs?: number;
  /** Until the last byte of a request. Default 60000. */
  readonly requestMs?: number;
  /** A kept connection without a request. Default 5000. */
  readonly keepAliveMs?: number;
  /** Between looks at slow connections. Default 1000. */
  readonly checkMs?: number;
  /** All header lines of a request together. Default 16384. */
  readonly maxHeaderBytes?: number;
}

const KEYS = ["headersMs", "requestMs", "keepAliveMs", "checkMs", "maxHeaderBytes"] as const;

/**
 * For `createServer` of node:http and node:https: how long a client may take (slowloris), how much it may send before a
 * request exists, and that the perimeter, not Node, answers a missing Host.
 *
 * @throws {ConfigurationError} with every mistake
 */
export function serverTimeouts(given: ServerTimeouts = {}): ServerOptions {
  const found = findings();
  refuseUnknownKeys(found, given, KEYS);
  for (const name of KEYS) {
    const value: unknown = given[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
      found.add(name, "not-a-positive-integer", "write a whole number above zero");
    }
  }
  const { headersMs = 10_000, requestMs = 60_000, keepAliveMs = 5000, checkMs = 1000, maxHeaderBytes = 16_384 } = given;
  if (headersMs > requestMs)
    found.add("headersMs", "too-long", "the headers are part of the request: not above `requestMs`");
  found.throwIfAny("server time-outs");
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: checkMs,
    maxHeaderSize: maxHeaderBytes,
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
}
