import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import helmet from "helmet";
import { remembering } from "./remembered.ts";

export type Headers = Readonly<Record<string, string>>;

/** Headers by which a backend tells what it runs or how it is reached; a name ending in `*` stands for all that begin so. */
export const FINGERPRINT_HEADERS: readonly string[] = Object.freeze([
  "server",
  "server-timing",
  "via",
  "x-powered-by*",
  "x-aspnet*",
  "x-backend*",
  "x-cache*",
  "x-debug*",
  "x-envoy*",
  "x-generator",
  "x-instance*",
  "x-kong*",
  "x-node*",
  "x-runtime",
  "x-served-by",
  "x-server*",
  "x-upstream*",
  "x-varnish",
]);

/** Headers that order a cache or a web server in front of us about, past Cache-Control. */
export const INTERMEDIARY_ORDERS: readonly string[] = Object.freeze([
  "cdn-cache-control",
  "surrogate-control",
  "expires",
  "x-accel-*",
  "x-sendfile",
]);

/**
 * The security headers of an API: helmet's, with a policy that lets a browser do nothing with an answer. Computed once.
 *
 * @see https://helmetjs.github.io/
 */
export function securityHeaders(): Headers {
  return recorded(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      referrerPolicy: { policy: "no-referrer" },
      xFrameOptions: { action: "deny" },
      strictTransportSecurity: false,
    }),
  );
}

/** RFC 6797 section 7.2: sent over TLS only. */
export function hstsHeader(options: { readonly maxAgeSeconds: number; readonly includeSubDomains: boolean }): Headers {
  return recorded(
    helmet.strictTransportSecurity({ maxAge: options.maxAgeSeconds, includeSubDomains: options.includeSubDomains }),
  );
}

/** What a middleware sets on a response of its own. */
function recorded(middleware: (req: IncomingMessage, res: ServerResponse, next: () => void) => void): Headers {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  middleware(req, res, () => undefined);
  return Object.freeze(Object.fromEntries(res.getHeaderNames().map((name) => [name, String(res.getHeader(name))])));
}

export interface AnswerPolicy {
  /** Set on every answer, whatever the handler set; on a public answer only where the handler set none. */
  readonly defaults: Headers;
  /** The handler's own content policy stands. */
  readonly keepContentPolicy: boolean;
  /** Absent over plain http, where the header is removed. */
  readonly hsts: Headers | undefined;
  readonly isFingerprint: (name: string) => boolean;
  readonly isIntermediaryOrder: (name: string) => boolean;
}

export const NO_STORE: Headers = Object.freeze({ "cache-control": "no-store" });

/**
 * The last word on an answer's headers, said just before they are sent. `isPublic`: the same answer for everybody, which
 * may be stored.
 *
 * Does NOT touch what a refusal needs (`WWW-Authenticate`, `Retry-After`, `Allow`) or CORS.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5
 */
export function settleHeaders(res: ServerResponse, policy: AnswerPolicy, isPublic: boolean): void {
  for (const name of res.getHeaderNames()) {
    if (policy.isFingerprint(name) || (!isPublic && policy.isIntermediaryOrder(name))) res.removeHeader(name);
  }
  for (const name in policy.defaults) {
    const mayStand = isPublic || (policy.keepContentPolicy && name === "content-security-policy");
    if (!mayStand || !res.hasHeader(name)) res.setHeader(name, policy.defaults[name] as string);
  }
  res.removeHeader("strict-transport-security");
  for (const name in policy.hsts) res.setHeader(name, policy.hsts[name] as string);
}

/** The edge alone says who may read: what a handler says about other origins is removed, and caches told to keep them apart. */
export function takeOverCors(res: ServerResponse): void {
  for (const name of [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
  ]) {
    res.removeHeader(name);
  }
  const vary = String(res.getHeader("vary") ?? "");
  if (!/(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(vary))
    res.setHeader("vary", vary === "" ? "Origin" : `${vary}, Origin`);
}

/** Matches lower-case names, `name*` by their beginning. */
export function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith("*")));
  const beginnings = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  return remembering((name) => exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning)));
}
