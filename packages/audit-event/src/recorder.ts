import { DependencyError } from "@wardline/policy-types";
import type { Ledger } from "./ledger.ts";
import type { ParsedOptions } from "./options.ts";

export interface Recorder {
  /** Resolves to whether the events, if there are any, are on disk; never rejects. */
  record(render: () => readonly object[]): Promise<boolean>;
  /** Recording stopped for a reason outside a record. */
  failed(code: string, lost: number): void;
  recovered(): void;
}

/** Puts our own deadline on the ledger (F1) and tells when it stops or starts again to record (F12). */
export function createRecorder(
  { appendDeadlineMs, onDegraded }: Pick<ParsedOptions, "appendDeadlineMs" | "onDegraded">,
  current: () => Ledger | undefined,
): Recorder {
  let degradedBy: string | undefined;
  let unrecorded = 0;

  return {
    async record(render) {
      let events: readonly object[] = [];
      try {
        events = render();
        if (events.length === 0) return true;
        const ledger = current();
        if (ledger === undefined) throw notOpen();
        await withDeadline(ledger.append(events), appendDeadlineMs);
      } catch (error) {
        failed(codeOf(error), Math.max(events.length, 1));
        return false;
      }
      recovered();
      return true;
    },
    failed,
    recovered,
  };

  function failed(code: string, lost: number): void {
    unrecorded += lost;
    if (degradedBy !== undefined) return;
    degradedBy = code;
    tell("degraded", code);
  }

  function recovered(): void {
    if (degradedBy === undefined) return;
    const code = degradedBy;
    degradedBy = undefined;
    tell("recovered", code);
    unrecorded = 0;
  }

  function tell(kind: "degraded" | "recovered", code: string): void {
    try {
      onDegraded({ kind, code, unrecorded });
    } catch {
      // Whoever listens may not break the request that happened to notice.
    }
  }
}

/** F2: a deadline that has passed means unknown. The ledger may still write the events; they are not sent again. */
async function withDeadline(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(appendTimedOut()), milliseconds);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function appendTimedOut(): DependencyError {
  return new DependencyError("audit-event/append-timeout", "the ledger did not answer in time", { retryable: false });
}

function notOpen(): DependencyError {
  return new DependencyError("audit-event/ledger-unopened", "the ledger is not open", { retryable: true });
}

function codeOf(error: unknown): string {
  return error instanceof DependencyError ? error.code : "audit-event/append-failed";
}
