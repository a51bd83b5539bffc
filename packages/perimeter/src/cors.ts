import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import type { Headers } from "./answer-headers.ts";
import { checkOrigins } from "./hostile/options.ts";

export interface CorsOptions {
  /** Exact origins whose scripts may read answers. `*` is no origin. */
  readonly origins: readonly string[];
  /** Request headers scripts may set. Default those of FHIR and SMART apps. */
  readonly requestHeaders?: readonly string[];
  /** Answer headers scripts may read. Default those of FHIR, OAuth and rate limits. */
  readonly exposeHeaders?: readonly string[];
  /** For how long a browser remembers the permission. Default 600. */
  readonly maxAgeSeconds?: number;
}

export interface CorsPolicy {
  readonly origins: ReadonlySet<string>;
  readonly requestHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAgeSeconds: number;
}

const REQUEST_HEADERS: readonly string[] = [
  "Authorization",
  "DPoP",
  "Accept",
  "Content-Type",
  "Prefer",
  "If-Match",
  "If-None-Exist",
  "If-None-Match",
  "X-Request-Id",
  "X-Correlation-Id",
];
const EXPOSED: readonly string[] = [
  "ETag",
  "Location",
  "Content-Location",
  "Last-Modified",
  "WWW-Authenticate",
  "DPoP-Nonce",
  "Retry-After",
  "RateLimit",
  "RateLimit-Policy",
  "X-Request-Id",
  "X-Progress",
];

export function checkCors(found: Findings, cors: unknown): void {
  if (cors === undefined) return;
  if (cors === null || typeof cors !== "object") {
    found.add("cors", "not-an-object", "write { origins: [...] }");
    return;
  }
  refuseUnknownKeys(found, cors, ["origins", "requestHeaders", "exposeHeaders", "maxAgeSeconds"], "cors");
  const { origins, requestHeaders = [], exposeHeaders = [], maxAgeSeconds = 1 } = cors as CorsOptions;
  checkOrigins(found, origins, "cors.origins");
  for (const [name, list] of Object.entries({ requestHeaders, exposeHeaders })) {
    const good =
      Array.isArray(list) && list.every((item: unknown) => typeof item === "string" && /^[\w-]+$/.test(item));
    if (!good) found.add(join("cors", name), "not-valid", "write a list of header names");
  }
  if (!(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds > 0)) {
    found.add("cors.maxAgeSeconds", "not-a-positive-integer", "write a whole number above zero");
  }
}

export function parseCors(options: CorsOptions): CorsPolicy {
  return Object.freeze({
    origins: new Set(options.origins),
    requestHeaders: (options.requestHeaders ?? REQUEST_HEADERS).join(", "),
    exposeHeaders: (options.exposeHeaders ?? EXPOSED).join(", "),
    maxAgeSeconds: options.maxAgeSeconds ?? 600,
  });
}

/**
 * What an answer says to the browser of that origin; an origin that is not on the list gets nothing, and its scripts
 * read nothing. Never with credentials: tokens are sent by the script, cookies do not exist here.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeaders({ origins, exposeHeaders }: CorsPolicy, origin: string | undefined): Headers {
  if (origin === undefined || !origins.has(origin)) return {};
  return { "access-control-allow-origin": origin, "access-control-expose-headers": exposeHeaders };
}

/** `undefined` when the request is no preflight. */
export function preflightHeaders(
  { origins, requestHeaders, maxAgeSeconds }: CorsPolicy,
  request: { readonly method: string; readonly origin: string | undefined; readonly asksFor: string | undefined },
  methods: readonly string[],
): Headers | undefined {
  const { method, origin, asksFor } = request;
  if (method !== "OPTIONS" || origin === undefined || asksFor === undefined) return undefined;
  if (!origins.has(origin) || !methods.includes(asksFor)) return {};
  return {
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": requestHeaders,
    "access-control-max-age": String(maxAgeSeconds),
  };
}
