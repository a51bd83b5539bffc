import { DependencyError } from "@wardline/policy-types";
import { createDeadline } from "./deadline.ts";
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

  const withDeadline = createDeadline(appendDeadlineMs, appendTimedOut);

  return {
    record(render) {
      let count = 1;
      try {
        const events = render();
        if (events.length === 0) return RECORDED;
        count = events.length;
        const ledger = current();
        if (ledger === undefined) throw notOpen();
        return settled(withDeadline(ledger.append(events)), count);
      } catch (error) {
        failed(codeOf(error), count);
        return NOT_RECORDED;
      }
    },
    failed,
    recovered,
  };

  /** Holds on to nothing of the request while the disk is awaited: hundreds of them may be waiting. */
  async function settled(appended: Promise<unknown>, count: number): Promise<boolean> {
    try {
      await appended;
    } catch (error) {
      failed(codeOf(error), count);
      return false;
    }
    recovered();
    return true;
  }

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

const RECORDED = Promise.resolve(true);
const NOT_RECORDED = Promise.resolve(false);

/** F2: the ledger may still write the events; they are not sent again. */
function appendTimedOut(): DependencyError {
  return new DependencyError("audit-event/append-timeout", "the ledger did not answer in time", { retryable: false });
}

function notOpen(): DependencyError {
  return new DependencyError("audit-event/ledger-unopened", "the ledger is not open", { retryable: true });
}

function codeOf(error: unknown): string {
  return error instanceof DependencyError ? error.code : "audit-event/append-failed";
}
