import type { AccessRecord } from "@wardline/policy-types";
import {
  afterAnswer,
  beforeAnswer,
  closing,
  joinTurn,
  recordDecision,
  sendProblem,
} from "@wardline/policy-types/express";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { logAccess, type OperationalLogger } from "./access-log.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Cached } from "./balp/entities.ts";
import { followUp } from "./balp/follow-up.ts";
import { renderAuditEvents } from "./balp/render.ts";
import { type AuditEventOptions, type ParsedOptions, parseOptions } from "./options.ts";
import { LEDGER_UNAVAILABLE } from "./problems.ts";
import { createTrail, type Trail } from "./trail.ts";

/** The middleware, and the means to record what is not a request. */
export interface AuditEventHandler extends RequestHandler, AuditLog {
  /** Resolves when requests can be recorded. Rejects only when it was closed before. */
  ready(): Promise<void>;
  /** Records the end and closes the ledger, if it was opened here. Close the server first. */
  close(): Promise<void>;
}

/**
 * Records every request it sees, permitted, refused, failed or broken off (A15). Mount it first: what comes before it
 * is not recorded.
 *
 * With `durability: "before-response"` no byte of an answer is sent before its record is on disk. Does NOT undo what a
 * handler has done when its answer cannot be recorded: while the ledger is known to have failed no handler runs, but the
 * write that meets the failure first has happened. Patients that come to light while a body is already being streamed
 * are recorded when it ends.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function auditEvent(options: AuditEventOptions): AuditEventHandler {
  const parsed = parseOptions(options);
  const trail = createTrail(parsed);
  const { durability, onFailure, logger } = parsed;
  const because = Object.freeze([
    `recorded ${durability === "async" ? "after the answer" : "before the answer is sent"}`,
  ]);

  function auditEventMiddleware(req: Request, res: Response, next: NextFunction): void {
    if (logger !== undefined) afterAnswer(res, (record) => logAccess(logger, record));
    const hindrance = onFailure === "refuse" ? trail.hindrance() : undefined;
    if (hindrance !== undefined) {
      const { code } = LEDGER_UNAVAILABLE;
      recordDecision(req, { control: CONTROL, kind: "deny", because: [hindrance], code });
      sendProblem(res, LEDGER_UNAVAILABLE);
      return;
    }
    recordDecision(req, { control: CONTROL, kind: "permit", because });
    watch(res, parsed, trail);
    joinTurn(res, next);
  }
  return Object.assign(closing(auditEventMiddleware), {
    record: (...event: Parameters<AuditLog["record"]>) => trail.record(...event),
    ready: () => trail.ready(),
    close: () => trail.close(),
  });
}

/** Logs one operational line for each request, without PHI. Stands alone or comes with `auditEvent({ logger })`. */
export function accessLog(logger: OperationalLogger): RequestHandler {
  return function accessLogMiddleware(_req: Request, res: Response, next): void {
    afterAnswer(res, (record) => logAccess(logger, record));
    next();
  };
}

const CONTROL = "audit-event";

function watch(res: Response, { durability, onFailure }: ParsedOptions, trail: Trail): void {
  const { recorder } = trail;
  trail.begin();
  let said: AccessRecord | undefined;
  if (durability === "before-response") {
    beforeAnswer(res, async (known) => {
      const record = withCacheStatus(known, res);
      said = record;
      const recorded = await recorder.record(() => renderAuditEvents(record, trail.rendering()));
      return recorded || onFailure === "continue" ? undefined : LEDGER_UNAVAILABLE;
    });
  }
  afterAnswer(res, (known) => {
    trail.end();
    const end = withCacheStatus(known, res);
    const before = said;
    // A client that left before there was an answer has asked all the same.
    void recorder.record(() =>
      before === undefined ? renderAuditEvents(end, trail.rendering()) : followUp(before, end, trail.rendering()),
    );
  });
}

/** What the answer says of the caches it came through, where it says it. @see https://www.rfc-editor.org/rfc/rfc9211 */
function withCacheStatus(record: AccessRecord, res: Response): AccessRecord {
  const cacheStatus = res.getHeader("Cache-Status");
  return cacheStatus === undefined ? record : { ...record, ...({ cacheStatus: String(cacheStatus) } satisfies Cached) };
}
