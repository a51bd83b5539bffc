import { type Decision, deny, type Problem, permit } from "@wardline/policy-types";
import { beforeHead, contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { addressMatcher, clientAddress } from "./addresses.ts";
import {
  FINGERPRINT_HEADERS,
  hstsHeader,
  NO_STORE,
  nameMatcher,
  securityHeaders,
  settleHeaders,
  takeOverCors,
} from "./answer-headers.ts";
import { type CorsPolicy, corsHeaders, preflightHeaders } from "./cors.ts";
import { decideEntry } from "./decide.ts";
import { pathOf, tellFindings } from "./express/hostile-body.ts";
import { type RequestFacts, readHeaderFacts } from "./facts.ts";
import { decideHostile } from "./hostile/decide.ts";
import { headInspector } from "./hostile/head.ts";
import type { HostileFinding } from "./hostile/inspect.ts";
import { readSignals } from "./hostile/signals.ts";
import { type ParsedOptions, type PerimeterOptions, parseOptions } from "./options.ts";
import { problemOf } from "./problems.ts";
import { claimsForwarding, FORWARDING_HEADERS, STANDARD_REQUEST_HEADERS, stripHeaders } from "./request-headers.ts";

/**
 * The door of a FHIR API: HTTPS, addresses, header and URL hygiene, a list of request headers that may pass, security
 * headers and `no-store` on every answer. Requires to stand before every other middleware but audit-event.
 *
 * Does NOT authenticate anybody, read bodies, or limit how often somebody calls.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 */
export function perimeter(options: PerimeterOptions = {}): RequestHandler {
  const policy = parseOptions(options);
  const hsts = hstsHeader(policy.hsts);
  const defaults = Object.freeze({ ...securityHeaders(), ...NO_STORE });
  const isFingerprint = nameMatcher([...FINGERPRINT_HEADERS, ...policy.removeHeaders]);
  const fromAnybody: ReadonlySet<string> = new Set([...STANDARD_REQUEST_HEADERS, ...policy.requestHeaders]);
  const inspectHead = headInspector(policy.hostileInput);
  let warned = false;
  let warnedOfProxy = false;

  /** From a trusted proxy; from others it does not pass. */
  const isCertificate = (name: string): boolean =>
    name === policy.clientCertificateHeader || CERTIFICATE_HEADERS.has(name);

  return function perimeterMiddleware(req, res, next) {
    const facts = readFacts(req, policy);
    settleBeforeSending(res, {
      defaults,
      hsts: facts.secure ? hsts : undefined,
      isFingerprint,
      isForPages: policy.keepContentPolicy,
      publicPaths: policy.publicPaths,
      cors: policy.cors,
    });

    const trusted = policy.trustedProxy(req.socket.remoteAddress);
    const passes = (name: string): boolean =>
      fromAnybody.has(name) || (trusted && (FORWARDING_HEADERS.has(name) || name === policy.clientCertificateHeader));
    const entry = trustsEverybody(req) ? warnedOnce() : decideEntry(facts, policy);
    const looked = entry.kind === "permit" && policy.hostileInput.mode !== "off";
    // What is refused already is not looked through: a refusal must not cost more than an answer.
    const { found, signals } = looked
      ? // Escaped PEM looks like a header that was split; whoever reads a certificate takes nothing but one.
        inspectHead(facts, (name) => passes(name) && !isCertificate(name))
      : { found: [], signals: readSignals(facts.headers, false) };
    const decision = looked ? judgeInput(req, entry, found) : entry;
    if (decision.kind === "deny" && !trusted && claimsForwarding(req.headers)) warnOfProxy(decision.problem);
    const removed = stripHeaders(req, passes);
    const because = [
      ...decision.because,
      ...(removed === 0 ? [] : ["request headers not on the list removed"]),
      ...signals,
    ];
    if (decision.kind === "deny") {
      recordDecision(req, { control: "perimeter", kind: "deny", because, code: decision.problem.code });
      return sendProblem(res, decision.problem);
    }
    recordDecision(req, { control: "perimeter", kind: "permit", because });
    if (answersPreflight(req, res, policy)) return;
    next();
  };

  function judgeInput(req: Request, entry: Decision<undefined>, found: readonly HostileFinding[]): Decision<undefined> {
    const { decision, standing } = decideHostile(found, pathOf(req), policy.hostileInput);
    tellFindings(req, policy.hostileInput, standing);
    if (decision.kind === "deny") return decision;
    return permit(undefined, [...entry.because, ...decision.because]);
  }

  function warnOfProxy({ code }: Problem): void {
    if (warnedOfProxy || code !== "perimeter/https-required") return;
    warnedOfProxy = true;
    process.emitWarning(
      "a request that says it was forwarded came from outside `trustedProxies`: write your load balancer's network there, or " +
        "all its requests count as plain http",
      { code: "WARDLINE_PROXY_UNKNOWN" },
    );
  }

  function warnedOnce(): Decision<undefined> {
    if (!warned) {
      warned = true;
      process.emitWarning(
        "`trust proxy` trusts every address: name your proxies in it, and in perimeter's `trustedProxies`",
        {
          code: "WARDLINE_TRUST_PROXY_OPEN",
        },
      );
    }
    return deny(problemOf("trust-proxy-open"), ["the application trusts forwarding headers from every address"]);
  }
}

function readFacts(req: Request, { trustedProxy }: ParsedOptions): RequestFacts {
  const context = contextOf(req);
  const { method, originalUrl, transport } = context;
  const address = clientAddress(req, trustedProxy);
  if (address !== undefined && address !== transport.peerAddress) context.clientAddress = address;
  const { servername } = req.socket as { servername?: string | false };
  const scheme = trustedProxy(transport.peerAddress) ? req.headers["x-forwarded-proto"] : undefined;
  return {
    method,
    target: originalUrl,
    httpVersion: req.httpVersion,
    headers: readHeaderFacts(req.rawHeaders),
    ...(address === undefined ? {} : { address }),
    ...(typeof servername !== "string" || servername === "" || trustedProxy(transport.peerAddress)
      ? {}
      : { serverName: servername }),
    ...(context.zone === undefined ? {} : { zone: context.zone }),
    secure: scheme === undefined ? transport.encrypted : everyHopIsHttps(scheme),
    local: LOOPBACK(transport.peerAddress) && !claimsForwarding(req.headers),
  };
}

function everyHopIsHttps(scheme: string | readonly string[]): boolean {
  const hops = String(scheme).split(",");
  return hops.every((hop) => hop.trim().toLowerCase() === "https");
}

const LOOPBACK = addressMatcher(["127.0.0.0/8", "::1"]);

/** S4: `trust proxy: true`, or anything as wide. Asked of each request, because the setting can change after start. */
function trustsEverybody(req: Request): boolean {
  const app = req.app as Request["app"] | undefined;
  const trust: unknown = app?.get("trust proxy fn");
  if (typeof trust !== "function") return false;
  return STRANGERS.every((address) => Boolean((trust as (address: string, hop: number) => unknown)(address, FAR_HOP)));
}

/** Addresses set aside for documentation (RFC 5737, RFC 3849): nobody's proxies. */
const STRANGERS = ["192.0.2.1", "2001:db8::1"] as const;
const FAR_HOP = 1000;

interface Settlement extends Pick<Parameters<typeof settleHeaders>[1], "defaults" | "hsts" | "isFingerprint"> {
  readonly publicPaths: ReadonlySet<string>;
  readonly cors: CorsPolicy | undefined;
  readonly isForPages: boolean;
}

/** A preflight asks what a browser may send; whoever answers it must not run the handler. */
function answersPreflight(req: Request, res: Response, { cors, methods }: ParsedOptions): boolean {
  if (cors === undefined) return false;
  const { origin, "access-control-request-method": asksFor } = req.headers;
  const headers = preflightHeaders(cors, { method: req.method, origin, asksFor }, methods);
  if (headers === undefined) return false;
  res.writeHead(204, headers).end();
  return true;
}

/** What every answer says, whoever gives it: set when its head is about to leave, so that nothing is set after it. */
function settleBeforeSending(res: Response, { publicPaths, cors, isForPages, ...policy }: Settlement): void {
  const context = contextOf(res.req);
  beforeHead(res, () => {
    if (cors !== undefined) takeOverCors(res);
    const { method, originalUrl, requestId, correlationId, problem } = context;
    const open = problem === undefined && publicPaths.has(`${method} ${originalUrl.replace(/\?.*$/s, "")}`);
    const always = {
      "x-request-id": requestId,
      ...(correlationId === undefined ? {} : { "x-correlation-id": correlationId }),
      ...(cors === undefined ? {} : corsHeaders(cors, res.req.headers.origin)),
    };
    settleHeaders(res, { ...policy, always, keepContentPolicy: isForPages && problem === undefined }, open);
  });
}

const CERTIFICATE_HEADERS: ReadonlySet<string> = new Set([
  "client-cert",
  "client-cert-chain",
  "x-forwarded-client-cert",
]);
