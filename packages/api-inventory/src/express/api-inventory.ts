import type { AccessRecord } from "@wardline/policy-types";
import { afterAnswer, closing, contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { Request, RequestHandler, Response } from "express";
import { decideRegistry } from "../decide.ts";
import { type InventoryEntry, isFhirEntry } from "../entry.ts";
import type { MountedRoute } from "../introspect.ts";
import type { Claim } from "../match.ts";
import { createLiveInventory } from "../observe/live.ts";
import type { InventoryReport } from "../observe/report.ts";
import { type ApiInventoryOptions, parseOptions } from "../options.ts";
import { retirementHeaders } from "../retirement.ts";
import { askedOf } from "./asked.ts";

/** The middleware, and what it has learnt. */
export interface ApiInventory extends RequestHandler {
  readonly entries: readonly InventoryEntry[];
  /** Takes the record of a request that did not pass through this middleware. */
  observe(record: AccessRecord): void;
  /** Reads the routes mounted in an Express application and keeps, for the report, those that no entry declares. */
  lookInto(app: unknown): readonly MountedRoute[];
  report(): InventoryReport;
}

/**
 * Knows every endpoint, announces the end of those that go, answers 410 for those that are gone, and notes who uses what.
 * Mount it before whatever may refuse: what comes before it is not seen.
 *
 * Does NOT authenticate, authorise or limit anybody; unknown clients and scopes are reported, not refused.
 *
 * @throws {ConfigurationError} for a mistake in the options, among them less than 12 months' notice of a retirement
 */
export function apiInventory(options: ApiInventoryOptions): ApiInventory {
  const parsed = parseOptions(options);
  const { entries, documentation, undeclared, now } = parsed;
  const live = createLiveInventory(parsed);
  const headersOf = new Map(entries.map((entry) => [entry.id, retirementHeaders(entry, documentation)]));

  function apiInventoryMiddleware(req: Request, res: Response, next: (error?: unknown) => void): void {
    const asked = askedOf(req);
    const claim = live.claimOf(asked);
    const headers = (claim && headersOf.get(claim.entry.id)) ?? {};
    const decision = decideRegistry({ claim, now: now(), undeclared, headers });
    placeInContext(req, claim);
    afterAnswer(res, (record) => live.observe(record, { asked, ...optionalClaim(claim), ...routePathOf(req) }));
    const { kind, because } = decision;
    recordDecision(req, {
      control: CONTROL,
      kind,
      because,
      ...(kind === "deny" ? { code: decision.problem.code } : {}),
    });
    if (kind === "deny") return sendProblem(res, decision.problem);
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    next();
  }
  return Object.assign(closing(apiInventoryMiddleware) as RequestHandler, {
    entries,
    observe: (record: AccessRecord) => live.observe(record),
    lookInto: (app: unknown) => live.lookInto(app),
    report: () => live.report(),
  });
}

const CONTROL = "api-inventory";

/** Where no edge has said it before, the registry says in which zone and API type a request is. */
function placeInContext(req: Request, claim: Claim | undefined): void {
  if (claim === undefined) return;
  const context = contextOf(req);
  context.zone ??= claim.entry.zone;
  context.apiType ??= claim.entry.apiType;
  if (!isFhirEntry(claim.entry)) context.media = "json";
}

function optionalClaim(claim: Claim | undefined): { readonly claim?: Claim } {
  return claim === undefined ? {} : { claim };
}

function routePathOf(req: Request): { readonly routePath?: string } {
  const { path } = (req.route ?? {}) as { path?: unknown };
  return typeof path === "string" ? { routePath: path } : {};
}
