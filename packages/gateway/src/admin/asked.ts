import type { SystemActor } from "@wardline/audit-event";
import type { Problem } from "@wardline/policy-types";
import { contextOf, readBody, sendProblem } from "@wardline/policy-types/express";
import type { Request, Response } from "express";
import { ADMIN_BODY_WRONG } from "../problems.ts";

const BODY_BYTES = 64 * 1024;

export function actorOf(req: Request): SystemActor {
  const { principal, transport } = contextOf(req);
  return {
    ...(principal === undefined ? {} : { issuer: principal.issuer, subject: principal.subject }),
    ...(transport.peerAddress === undefined ? {} : { address: transport.peerAddress }),
  };
}

/** Named by what was proved about it. */
export function operatorOf(req: Request): string {
  const { principal } = contextOf(req);
  return principal === undefined ? "unknown" : `${principal.subject} (${principal.issuer})`;
}

/** A flat object of texts with these members and no others; `undefined` when it was answered already. */
export async function bodyOf(
  req: Request,
  res: Response,
  required: readonly string[],
  optional: readonly string[] = [],
): Promise<Readonly<Record<string, string>> | undefined> {
  const refuse = (problem: Problem): undefined => {
    sendProblem(res, problem);
    return undefined;
  };
  const read = await readBody(req, { limitBytes: BODY_BYTES });
  if (read.kind === "deny") return refuse(read.problem);
  const { json } = read.grant;
  if (json === null || typeof json !== "object" || Array.isArray(json)) return refuse(ADMIN_BODY_WRONG);
  const entries = Object.entries(json).map(
    ([name, value]) => [name, typeof value === "number" ? String(value) : value] as const,
  );
  const isFlat = entries.every(([, value]) => typeof value === "string" && value !== "" && value.length <= 512);
  const names = new Set(entries.map(([name]) => name));
  // A recipient that is spelled otherwise would be everybody.
  const isKnown = [...names].every((name) => required.includes(name) || optional.includes(name));
  if (!isFlat || !isKnown || !required.every((name) => names.has(name))) return refuse(ADMIN_BODY_WRONG);
  return Object.fromEntries(entries) as Record<string, string>;
}
