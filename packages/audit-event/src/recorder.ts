import { DependencyError } from "@wardline/policy-types";
import { createDeadline } from "./deadline.ts";
import { FileLedger } from "./ledger/file-ledger.ts";
import { WrittenEvents } from "./ledger/written-events.ts";
import type { Ledger } from "./ledger.ts";
import type { ParsedOptions } from "./options.ts";

export interface Recorder {
  /** Resolves to whether the events, if there are any, are on disk; never rejects. */
  record(render: () => readonly object[]): Promise<boolean>;
  /** Resolves when what was handed over so far is on disk, or has failed. */
  flush(): Promise<void>;
  /** Recording stopped for a reason outside a record. */
  failed(code: string, lost: number, reason?: string): void;
  recovered(): void;
}

/** Events of one turn of the event loop, on their way into the ledger together. */
interface Group {
  readonly recorded: Promise<boolean>;
  readonly settle: (recorded: boolean) => void;
}

/** A group larger than this does not wait for the turn to end. */
const MOST_TOGETHER = 64;

/** Puts our own deadline on the ledger (F1) and tells when it stops or starts again to record (F12). */
export function createRecorder(
  { appendDeadlineMs, onDegraded }: Pick<ParsedOptions, "appendDeadlineMs" | "onDegraded">,
  current: () => Ledger | undefined,
  /** Are accesses refused for what still waits? Then one that was recorded is no recovery. */
  isCrowded: () => boolean,
): Recorder {
  let degradedBy: string | undefined;
  let unrecorded = 0;

  const withDeadline = createDeadline(appendDeadlineMs, appendTimedOut);
  let group: Group | undefined;
  /** Those of the group, written down as they come: while they are at hand, and nothing of the requests is held. */
  const events = new WrittenEvents();

  return {
    record(render) {
      try {
        const rendered = render();
        if (rendered.length === 0) return RECORDED;
        // What others recorded in this turn does not share the fate of what may be too much.
        if (rendered.length >= MOST_TOGETHER && group !== undefined) appendGroup(group);
        events.add(rendered);
        const together = group ?? openGroup();
        if (events.count >= MOST_TOGETHER) appendGroup(together);
        return together.recorded;
      } catch (error) {
        failed(codeOf(error), 1);
        return NOT_RECORDED;
      }
    },
    async flush() {
      const waiting = group;
      if (waiting === undefined) return;
      appendGroup(waiting);
      await waiting.recorded;
    },
    failed,
    recovered,
  };

  /** What the same turn of the event loop brings is appended at once, and waits for the disk in one promise. */
  function openGroup(): Group {
    let settle: Group["settle"] = () => undefined;
    const recorded = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    const opened: Group = { recorded, settle };
    group = opened;
    setImmediate(() => appendGroup(opened));
    return opened;
  }

  function appendGroup(gathered: Group): void {
    if (group !== gathered) return;
    group = undefined;
    void appended().then(gathered.settle);
    // The ledger has taken them over.
    events.wipe();
  }

  async function appended(): Promise<boolean> {
    const { count } = events;
    try {
      const ledger = current();
      if (ledger === undefined) throw notOpen();
      await withDeadline(ledger instanceof FileLedger ? ledger.append(events) : ledger.append(events.parse()));
    } catch (error) {
      failed(codeOf(error), count);
      return false;
    }
    if (degradedBy !== undefined && !isCrowded()) recovered();
    return true;
  }

  function failed(code: string, lost: number, reason?: string): void {
    unrecorded += lost;
    if (degradedBy !== undefined) return;
    degradedBy = code;
    tell("degraded", code, reason);
  }

  function recovered(): void {
    if (degradedBy === undefined) return;
    const code = degradedBy;
    degradedBy = undefined;
    tell("recovered", code);
    unrecorded = 0;
  }

  function tell(kind: "degraded" | "recovered", code: string, reason?: string): void {
    try {
      onDegraded({ kind, code, unrecorded, ...(reason === undefined ? {} : { reason }) });
    } catch {
      // Whoever listens may not break the request that happened to notice.
    }
  }
}

const RECORDED = Promise.resolve(true);
const NOT_RECORDED = Promise.resolve(false);

/** F2: the ledger may still write the events; they are not sent again. */
export function appendTimedOut(): DependencyError {
  return new DependencyError("audit-event/append-timeout", "the ledger did not answer in time", { retryable: false });
}

function notOpen(): DependencyError {
  return new DependencyError("audit-event/ledger-unopened", "the ledger is not open", { retryable: true });
}

function codeOf(error: unknown): string {
  return error instanceof DependencyError ? error.code : "audit-event/append-failed";
}
