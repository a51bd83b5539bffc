import { type Decision, deny, type Problem } from "@wardline/policy-types";
import { beforeHead, closing, contextOf, joinTurn, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { addressMatcher, clientAddress } from "./addresses.ts";
import { preflightHeaders } from "./cors.ts";
import { decideEntry } from "./decide.ts";
import { pathOf, tellFindings } from "./express/hostile-body.ts";
import { passingHeaders } from "./express/passing.ts";
import { answerSettlers } from "./express/settle.ts";
import { type RequestFacts, readHeaderFacts } from "./facts.ts";
import { CLEAN_INPUT, decideHostile } from "./hostile/decide.ts";
import { headInspector } from "./hostile/head.ts";
import type { HostileFinding } from "./hostile/inspect.ts";
import { signalReader } from "./hostile/signals.ts";
import { type ParsedOptions, type PerimeterOptions, parseOptions } from "./options.ts";
import { problemOf } from "./problems.ts";
import { claimsForwarding, stripHeaders } from "./request-headers.ts";

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
  const { foresee, overTls, overPlainHttp } = answerSettlers(policy);
  const { fromAnybody, fromProxy } = passingHeaders(policy);
  const inspectHead = headInspector(policy.hostileInput);
  const readSignals = signalReader();
  let warned = false;
  let warnedOfProxy = false;

  return closing(function perimeterMiddleware(req, res, next) {
    const trusted = policy.trustedProxy(contextOf(req).transport.peerAddress);
    const facts = readFacts(req, policy, trusted);
    foresee(contextOf(req));
    beforeHead(res, facts.secure ? overTls : overPlainHttp);

    const { passes, isRead } = trusted ? fromProxy : fromAnybody;
    const entry = trustsEverybody(req) ? warnedOnce() : decideEntry(facts, policy);
    const looked = entry.kind === "permit" && policy.hostileInput.mode !== "off";
    // What is refused already is not looked through: a refusal must not cost more than an answer.
    const { found, signals } = looked
      ? inspectHead(facts, isRead)
      : { found: [], signals: readSignals(facts.headers, false) };
    const input = found.length === 0 ? CLEAN_INPUT : judgeInput(req, found);
    const decision = input.kind === "deny" ? input : entry;
    if (decision.kind === "deny" && !trusted && claimsForwarding(req.headers)) warnOfProxy(decision.problem);
    const because = [...decision.because];
    if (looked && input.kind === "permit") because.push(...input.because);
    if (stripHeaders(req, passes) > 0) because.push("request headers not on the list removed");
    because.push(...signals);
    if (decision.kind === "deny") {
      recordDecision(req, { control: "perimeter", kind: "deny", because, code: decision.problem.code });
      return sendProblem(res, decision.problem);
    }
    recordDecision(req, { control: "perimeter", kind: "permit", because });
    if (answersPreflight(req, res, policy)) return;
    joinTurn(res, next);
  });

  function judgeInput(req: Request, found: readonly HostileFinding[]): Decision<undefined> {
    const { decision, standing } = decideHostile(found, pathOf(req), policy.hostileInput);
    tellFindings(req, policy.hostileInput, standing);
    return decision;
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

function readFacts(req: Request, { trustedProxy, development }: ParsedOptions, trusted: boolean): RequestFacts {
  const context = contextOf(req);
  const { method, originalUrl, transport, zone } = context;
  const { peerAddress, encrypted } = transport;
  const isForwarded = trusted && req.headers["x-forwarded-for"] !== undefined;
  const address = isForwarded ? clientAddress(req, trustedProxy) : peerAddress;
  // Said even where it is not known: the proxy's own address would open what is open to its network.
  if (address !== peerAddress) context.clientAddress = address ?? UNKNOWN;
  const { servername } = req.socket as { servername?: string | false };
  const scheme = trusted ? req.headers["x-forwarded-proto"] : undefined;
  const facts: { -readonly [Name in keyof RequestFacts]: RequestFacts[Name] } = {
    method,
    target: originalUrl,
    httpVersion: req.httpVersion,
    headers: readHeaderFacts(req.rawHeaders),
    secure: scheme === undefined ? encrypted : everyHopIsHttps(scheme),
    // Of no interest but in development.
    local: development && LOOPBACK(peerAddress) && !claimsForwarding(req.headers),
  };
  if (address !== undefined) facts.address = address;
  if (!trusted && typeof servername === "string" && servername !== "") facts.serverName = servername;
  if (zone !== undefined) facts.zone = zone;
  return facts;
}

/** @see https://www.rfc-editor.org/rfc/rfc7239#section-6.2 */
const UNKNOWN = "unknown";

function everyHopIsHttps(scheme: string | readonly string[]): boolean {
  const hops = String(scheme).split(",");
  return hops.every((hop) => hop.trim().toLowerCase() === "https");
}

const LOOPBACK = addressMatcher(["127.0.0.0/8", "::1"]);

/** S4: `trust proxy: true`, or all of IPv4 or IPv6. Asked of each request, because the setting can change after start. */
function trustsEverybody(req: Request): boolean {
  const app = req.app as Request["app"] | undefined;
  const trust: unknown = app?.get("trust proxy fn");
  if (typeof trust !== "function") return false;
  const isTrusted = (address: string): boolean =>
    Boolean((trust as (address: string, hop: number) => unknown)(address, FAR_HOP));
  return STRANGERS.some((family) => family.every(isTrusted));
}

/** Addresses set aside for documentation (RFC 5737; RFC 3849, RFC 9637): nobody's proxies. */
const STRANGERS: readonly (readonly string[])[] = [
  ["192.0.2.1", "203.0.113.1"],
  ["2001:db8::1", "3fff::1"],
];
const FAR_HOP = 1000;

/** A preflight asks what a browser may send; whoever answers it must not run the handler. */
function answersPreflight(req: Request, res: Response, { cors, methods }: ParsedOptions): boolean {
  if (cors === undefined) return false;
  const { origin, "access-control-request-method": asksFor } = req.headers;
  const headers = preflightHeaders(cors, { method: req.method, origin, asksFor }, methods);
  if (headers === undefined) return false;
  res.writeHead(204, headers).end();
  return true;
}
