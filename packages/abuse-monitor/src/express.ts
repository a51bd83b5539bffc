import type { IncomingMessage } from "node:http";
import type { AccessRecord, Decision } from "@wardline/policy-types";
import {
  afterAnswer,
  closing,
  contextOf,
  type RequestContext,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { decideCaller, decideDoor } from "./decide.ts";
import type { History } from "./history/entry.ts";
import type { Action, Measure } from "./measures/measure.ts";
import type { Measures } from "./measures/operate.ts";
import { isProtected } from "./measures/respond.ts";
import { createMonitor, type Monitor, type MonitorSnapshot } from "./monitor.ts";
import { type AbuseMonitorOptions, parseOptions } from "./options.ts";
import type { LoginAttempt } from "./watch/login.ts";
import { callerOf, isBreakGlass, type Sighting } from "./watch/sighting.ts";

/** Whose pseudonym is looked for. `issuer` for a client or subject. */
export interface Named {
  readonly kind: "address" | "client" | "subject";
  readonly issuer?: string;
  readonly name: string;
}

/** The door, and the means to work with what the monitor knows. */
export interface AbuseMonitorHandler extends RequestHandler {
  /** Refuses blocked clients and users, and asks for a step-up: mount it after authentication and where the zone is known. */
  readonly afterAuthentication: RequestHandler;
  /** The same before an authorization server: refuses who is blocked. Signing in anew is what a step-up asks for. */
  readonly atSignIn: RequestHandler;
  /** For an admin endpoint: list, impose, confirm, lift. */
  readonly measures: Measures;
  /** What one request of this caller counts at the throttle: 1, or more while it is slowed down. */
  costOf(req: IncomingMessage): number;
  /** A login at a token endpoint or login page of yours. */
  seeLogin(attempt: LoginAttempt): void;
  /** A finished request from elsewhere. Requests that pass the middleware are seen without it. */
  see(record: AccessRecord): void;
  /** The keyed hash under which alerts and measures name somebody. */
  pseudonymOf(named: Named): string;
  snapshot(): MonitorSnapshot;
  /** Everything it remembers now, for the `remembered` of a monitor that may take its place. It goes on as before. */
  history(): History;
  /** The same of a monitor whose place is taken: its file is then the other's. */
  handOver(): History;
  close(): Promise<void>;
}

/**
 * Watches every request that passes, tells what looks like abuse, and refuses whom the policy or an operator has blocked.
 * Mount it after audit-event and perimeter, before anything expensive is done for a stranger, and `afterAuthentication`
 * after smart-auth.
 *
 * Does NOT see what comes before it, and does NOT wait for the shared store: a block of another instance holds here after
 * `shared.intervalMs`. Without `afterAuthentication` clients and users are not blocked.
 *
 * @throws {ConfigurationError} with every mistake in the options
 */
export function abuseMonitor(options: AbuseMonitorOptions = {}): AbuseMonitorHandler {
  const parsed = parseOptions(options);
  const monitor = createMonitor(parsed);

  function abuseMonitorMiddleware(req: Request, res: Response, next: NextFunction): void {
    afterAnswer(res, monitor.see);
    const context = contextOf(req);
    const decision = decideDoor({
      block: measureOn(monitor, "block", "address", context),
      hasCredentials: req.headers.authorization !== undefined || context.transport.clientCertificate !== undefined,
      reserved: isProtected(placeOf(context, false), parsed.protection),
    });
    conclude(req, res, decision, next);
  }

  function judgeCaller(req: Request, res: Response, next: NextFunction, asksForStepUp: boolean): void {
    const context = contextOf(req);
    const { principal } = context;
    const breakGlass = isBreakGlass(context);
    const decision = decideCaller(
      {
        blocks: measuresOn(monitor, "block", context),
        stepUps: asksForStepUp ? measuresOn(monitor, "step-up", context) : NONE,
        isProtected: isProtected(placeOf(context, breakGlass), parsed.protection),
        principal,
      },
      parsed.stepUp,
    );
    conclude(req, res, decision, next);
  }

  return Object.assign(closing(abuseMonitorMiddleware), {
    afterAuthentication: closing((req: Request, res: Response, next: NextFunction) =>
      judgeCaller(req, res, next, true),
    ),
    atSignIn: closing((req: Request, res: Response, next: NextFunction) => judgeCaller(req, res, next, false)),
    measures: monitor.measures,
    costOf: (req: IncomingMessage) =>
      measuresOn(monitor, "slow-down", contextOf(req)).reduce((most, { cost = 1 }) => Math.max(most, cost), 1),
    seeLogin: monitor.seeLogin,
    see: monitor.see,
    pseudonymOf({ kind, issuer = "", name }: Named): string {
      const { pseudonyms, addressKey } = monitor.facts;
      return kind === "address"
        ? pseudonyms.name("address", "", addressKey(name))
        : pseudonyms.name(kind, issuer, name);
    },
    snapshot: monitor.snapshot,
    history: monitor.history,
    handOver: monitor.handOver,
    close: monitor.close,
  });
}

const CONTROL = "abuse-monitor";

function conclude(req: Request, res: Response, decision: Decision<undefined>, next: NextFunction): void {
  const { kind, because } = decision;
  if (decision.kind === "deny") {
    recordDecision(req, { control: CONTROL, kind, because, code: decision.problem.code });
    return sendProblem(res, decision.problem);
  }
  recordDecision(req, { control: CONTROL, kind, because });
  next();
}

/** In one piece: V8 does not know an object again that was begun by spreading. */
function placeOf(
  { zone, apiType }: RequestContext,
  breakGlass: boolean,
): Pick<Sighting, "zone" | "apiType" | "breakGlass"> {
  return { zone, apiType, breakGlass };
}

function measureOn(
  { store, facts }: Monitor,
  action: Action,
  kind: "address",
  context: RequestContext,
): Measure | undefined {
  const address = context.clientAddress ?? context.transport.peerAddress;
  if (address === undefined || store.isEmpty()) return undefined;
  return store.active(action, kind, facts.pseudonyms.name("address", "", facts.addressKey(address)));
}

/** Against the address, the client and the subject of a request. */
function measuresOn(monitor: Monitor, action: Action, context: RequestContext): readonly Measure[] {
  const { store, facts } = monitor;
  if (store.isEmpty()) return NONE;
  const { client, subject } = callerOf(context.principal, facts.pseudonyms);
  return [
    measureOn(monitor, action, "address", context),
    store.active(action, "client", client),
    store.active(action, "subject", subject),
  ].filter((measure) => measure !== undefined);
}

const NONE: readonly Measure[] = Object.freeze([]);
