import { type Findings, findings } from "@wardline/policy-types";
import {
  announcesBody,
  closing,
  contextOf,
  readBody,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { Request, RequestHandler } from "express";
import { inspectBody, isXml } from "../hostile/body.ts";
import { decideHostile } from "../hostile/decide.ts";
import type { HostileFinding } from "../hostile/inspect.ts";
import {
  checkHostileOptions,
  HOSTILE_KEYS,
  type HostileInputOptions,
  hostilePolicy,
  type ParsedHostileOptions,
} from "../hostile/options.ts";

export interface HostileBodyOptions extends HostileInputOptions {
  /** Largest body, before and after its content coding, in bytes. Default 1048576. */
  readonly limitBytes?: number;
}

const MIB = 1_048_576;

/**
 * Looks for attacks in bodies that are a form, JSON or XML. Requires to stand behind whatever decides who may send a
 * body: it reads up to `limitBytes` into memory, where later middlewares find it.
 *
 * Does NOT read other media types, which pass unread.
 */
export function hostileBody(options: HostileBodyOptions = {}): RequestHandler {
  const found = findings();
  checkHostileOptions(found, options, "", [...HOSTILE_KEYS, "limitBytes"]);
  checkLimit(found, options.limitBytes);
  found.throwIfAny("hostileBody options");
  const policy = hostilePolicy(options);
  const limitBytes = options.limitBytes ?? MIB;

  return closing(async function hostileBodyMiddleware(req, res, next) {
    if (policy.mode === "off" || !announcesBody(req) || !isJudged(req)) return next();
    const body = await readBody(req, { limitBytes });
    if (body.kind === "deny") {
      recordDecision(req, { control: "hostile-body", kind: "deny", because: body.because, code: body.problem.code });
      return sendProblem(res, body.problem);
    }
    const { decision, standing } = decideHostile(inspectBody(body.grant, policy), pathOf(req), policy);
    tellFindings(req, policy, standing);
    const { because } = decision;
    if (decision.kind === "deny") {
      recordDecision(req, { control: "hostile-body", kind: "deny", because, code: decision.problem.code });
      return sendProblem(res, decision.problem);
    }
    recordDecision(req, { control: "hostile-body", kind: "permit", because });
    next();
  });
}

function checkLimit(found: Findings, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) > 0)) {
    found.add("limitBytes", "not-a-positive-integer", "write a whole number above zero");
  }
}

function isJudged(req: Request): boolean {
  const type = (req.headers["content-type"] ?? "").replace(/;.*$/s, "").trim().toLowerCase();
  return type === "application/x-www-form-urlencoded" || /[/+]json$/.test(type) || isXml(type);
}

export function pathOf(req: Request): string {
  return contextOf(req).originalUrl.replace(/\?.*$/s, "");
}

export function tellFindings(req: Request, policy: ParsedHostileOptions, standing: readonly HostileFinding[]): void {
  if (standing.length === 0) return;
  const { requestId } = contextOf(req);
  const refused = policy.mode === "refuse";
  for (const { rule, surface } of standing) policy.onFinding({ rule, surface, requestId, refused });
}
