import { DependencyError } from "@wardline/policy-types";
import { openLedger } from "./ledger/open.ts";
import type { Ledger } from "./ledger.ts";

/** A ledger that may still be on its way. */
export interface Opening {
  /** Absent while it is being opened. */
  current(): Ledger | undefined;
  ready(): Promise<Ledger>;
  /** Closes what was opened here; a ledger that was given is its owner's to close. */
  close(): Promise<void>;
}

export function given(ledger: Ledger): Opening {
  return {
    current: () => ledger,
    ready: () => Promise.resolve(ledger),
    close: () => Promise.resolve(),
  };
}

export interface OpeningOptions {
  readonly folder: string;
  /** What else must be there before the first request. */
  readonly prepare: () => Promise<void>;
  /** Told at each failed attempt; the next follows by itself. */
  readonly onFailed: (code: string, reason?: string) => void;
  readonly onOpen: (ledger: Ledger) => void;
  readonly open?: typeof openLedger;
}

/**
 * Opens the ledger of a folder, again and again until it succeeds (F3): the process before may be just closing it. Waits
 * 100 ms after the first failure and twice as long after each further one, at most 10 s.
 */
export function opening({ folder, prepare, onFailed, onOpen, open = openLedger }: OpeningOptions): Opening {
  let ledger: Ledger | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let attempts = 0;
  let isAwaited = false;
  let settle: { resolve: (ledger: Ledger) => void; reject: (error: unknown) => void } | undefined;
  const ready = new Promise<Ledger>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Who does not ask whether it is ready learns it by `onFailed`.
  ready.catch(() => undefined);

  const attempt = async (): Promise<void> => {
    try {
      await prepare();
      const opened = await open({ folder });
      if (closed) {
        await opened.close();
        return;
      }
      ledger = opened;
      onOpen(opened);
      settle?.resolve(opened);
    } catch (error) {
      if (closed) return;
      if (error instanceof DependencyError) onFailed(error.code, error.message);
      else onFailed("audit-event/ledger-unopened");
      const wait = Math.min(100 * 2 ** attempts++, 10_000);
      timer = setTimeout(() => {
        running = attempt();
      }, wait);
      // A process that does nothing but wait for its ledger would end here, as if all were well.
      if (!isAwaited) timer.unref();
    }
  };
  let running = attempt();

  return {
    current: () => ledger,
    ready() {
      isAwaited = true;
      timer?.ref();
      return ready;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
      settle?.reject(new DependencyError("audit-event/ledger-closed", "the ledger is closed", { retryable: false }));
      await ledger?.close();
    },
  };
}
