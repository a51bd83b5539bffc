import type { LedgerEntry } from "../ledger/read.ts";
import { DeliveryError, type Sink } from "./sink.ts";

export interface Attempt {
  (entries: readonly LedgerEntry[]): Promise<void>;
  /** Ends the attempt under way as if its time were up. */
  abandon(): void;
}

/**
 * Calls a sink with our own deadline (F1). One that does not settle is not called again before it has: it may hold
 * memory and connections of its own (F10).
 */
export function attempt(sink: Sink, deadlineMs: number): Attempt {
  let outstanding = false;
  let abort: AbortController | undefined;

  async function send(entries: readonly LedgerEntry[]): Promise<void> {
    if (outstanding) throw hung();
    const controller = new AbortController();
    abort = controller;
    const timer = setTimeout(() => controller.abort(), deadlineMs);
    const late = new Promise<never>((_resolve, reject) => {
      controller.signal.addEventListener("abort", () => reject(timedOut()), { once: true });
    });
    outstanding = true;
    const sent = Promise.resolve()
      .then(() => sink.send(entries, controller.signal))
      .finally(() => {
        outstanding = false;
      });
    try {
      await Promise.race([sent, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  return Object.assign(send, { abandon: () => abort?.abort() });
}

/** F2: the receiver may have the entries or not; they are sent again, under the same ids. */
function timedOut(): DeliveryError {
  return new DeliveryError("audit-event/sink-timeout", "the receiver did not answer in time", { retryable: true });
}

function hung(): DeliveryError {
  return new DeliveryError("audit-event/sink-hung", "the sink has not given up its last delivery", {
    retryable: true,
  });
}
