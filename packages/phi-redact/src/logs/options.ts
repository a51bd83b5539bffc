import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { DEFAULT_CONFIDENCE, type PhiScanner, phiScanner } from "../dlp/detect.ts";
import { ENTITIES, type Entity } from "../dlp/detection.ts";
import type { ExchangePhi } from "../dlp/exchange.ts";
import { REQUEST_ENTITIES } from "../dlp/options.ts";
import { type MemberNames, memberNames } from "./member-names.ts";

export interface LogRedactionOptions {
  /** What to look for. Default: all but `npi` (public) and `ip` (operators need it). */
  readonly entities?: readonly Entity[];
  /** Detections below are left. Default 0.5. */
  readonly minConfidence?: number;
  /** The same that `dlp()` was given: what it found in a request, and the names of its people, are masked too. */
  readonly exchange?: ExchangePhi;
  /** Request headers that may be logged. Default: those that describe the message and its transport. */
  readonly headers?: readonly string[];
  /** A longer text is cut. Default 16384. */
  readonly maxChars?: number;
  /** Values of one record that are looked at; more are left out. Default 5000. */
  readonly maxNodes?: number;
}

export interface ParsedLogOptions {
  readonly entities: readonly Entity[];
  readonly minConfidence: number;
  readonly scan: PhiScanner;
  readonly exchange: ExchangePhi | undefined;
  readonly headers: ReadonlySet<string>;
  readonly names: MemberNames;
  readonly maxChars: number;
  readonly maxNodes: number;
}

export function parseLogOptions(options: LogRedactionOptions, where: string): ParsedLogOptions {
  const found = findings();
  refuseUnknownKeys(found, options, ["entities", "minConfidence", "exchange", "headers", "maxChars", "maxNodes"]);
  const { entities = REQUEST_ENTITIES, minConfidence = DEFAULT_CONFIDENCE, headers = LOGGABLE_HEADERS } = options;
  const { maxChars = 16_384, maxNodes = 5000, exchange } = options;
  for (const [index, entity] of entities.entries()) {
    if (!ENTITIES.includes(entity)) found.add(`entities[${index}]`, "enum", `one of ${ENTITIES.join(", ")}`);
  }
  if (!(minConfidence > 0 && minConfidence <= 1)) found.add("minConfidence", "range", "above 0, at most 1");
  if (!(maxChars >= 64)) found.add("maxChars", "range", "at least 64");
  if (!(maxNodes >= 1)) found.add("maxNodes", "range", "at least 1");
  for (const [index, name] of headers.entries()) {
    if (NEVER.has(name.toLowerCase())) found.add(`headers[${index}]`, "conflict", "credentials are never logged");
  }
  found.throwIfAny(where);
  return Object.freeze({
    entities,
    minConfidence,
    scan: phiScanner({ entities, minConfidence }),
    exchange,
    headers: new Set(headers.map((name) => name.toLowerCase())),
    names: memberNames(),
    maxChars,
    maxNodes,
  });
}

const LOGGABLE_HEADERS: readonly string[] = Object.freeze(
  "accept accept-encoding content-encoding content-length content-type host prefer traceparent transfer-encoding user-agent x-correlation-id x-request-id".split(
    " ",
  ),
);
const NEVER: ReadonlySet<string> = new Set(
  "authorization proxy-authorization cookie set-cookie dpop x-api-key client-cert x-forwarded-client-cert".split(" "),
);
