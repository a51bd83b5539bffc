import { renderSystemEvent, type SystemFacts, type SystemRenderOptions } from "./balp/system-event.ts";
import { SYSTEM_EVENT_KINDS, type SystemEventKind } from "./balp/system-patterns.ts";
import { createDeadline } from "./deadline.ts";
import type { Ledger } from "./ledger.ts";
import type { ParsedOptions } from "./options.ts";
import { appendTimedOut } from "./recorder.ts";

/** Records what is not a request. */
export interface AuditLog {
  /**
   * Resolves when the event is on disk.
   *
   * @throws {DependencyError} when it cannot be recorded, or not in time. A start that cannot be recorded should not happen.
   */
  record(kind: SystemEventKind, facts?: SystemFacts): Promise<void>;
}

export function createAuditLog(
  ledger: () => Promise<Ledger>,
  { appendDeadlineMs, ...options }: Omit<SystemRenderOptions, "now"> & Pick<ParsedOptions, "appendDeadlineMs">,
): AuditLog {
  const withDeadline = createDeadline(appendDeadlineMs, appendTimedOut);
  return {
    async record(kind, facts = {}) {
      if (!SYSTEM_EVENT_KINDS.includes(kind)) throw new TypeError("there is no such kind of event");
      const event = renderSystemEvent(kind, facts, options);
      const opened = await ledger();
      await withDeadline(opened.append([event]));
    },
  };
}

/** Shows by an entry now and then that recording goes on, so that silence means something. Gives how to stop it. */
export function startHeartbeat(ledger: Ledger, log: AuditLog, seconds: number): () => void {
  if (seconds === 0) return () => undefined;
  const timer = setInterval(() => {
    if (ledger.state().status !== "open") return;
    // A beat that cannot be recorded is a silence, which is what it is there to show.
    log.record("heartbeat", { details: { "every-seconds": seconds } }).catch(() => undefined);
  }, seconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}
