import { mkdirSync } from "node:fs";
import { Courier, type SinkState } from "./courier.ts";
import { parseShipOptions, type ShipOptions } from "./options.ts";

/** A delivery that goes on until it is closed. */
export interface Shipper {
  /** One for each sink, in the order given (F12). */
  state(): readonly SinkState[];
  /** Resolves when every sink has all that is in the ledger now. Waits as long as a sink fails. */
  caughtUp(): Promise<void>;
  /**
   * Delivers what is in the ledger to the sinks that work, and stops; in bounded time (F15). The next start goes on from
   * the cursors.
   */
  close(): Promise<void>;
}

/**
 * Delivers a ledger's entries to its sinks: in order, at least once, each sink by itself. Runs in the process that writes
 * the ledger or in another one, which it keeps running until it is closed. What is delivered has been verified link by
 * link.
 *
 * Does NOT remove anything from the ledger, nor deliver exactly once: after a failure an entry may come again, with the
 * same id.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function shipLedger(options: ShipOptions): Shipper {
  const parsed = parseShipOptions(options);
  mkdirSync(parsed.cursorFolder, { recursive: true, mode: 0o700 });
  const couriers = parsed.sinks.map((sink) => new Courier(sink, parsed));
  return {
    state: () => couriers.map((courier) => courier.state()),
    async caughtUp() {
      await Promise.all(couriers.map((courier) => courier.caughtUp()));
    },
    async close() {
      await Promise.all(couriers.map((courier) => courier.close()));
    },
  };
}
