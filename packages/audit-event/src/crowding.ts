import type { LedgerState } from "./ledger.ts";

/**
 * F9: whether a ledger that is open takes further accesses. Those under way must be recorded whatever the disk does meanwhile, so
 * the door shuts long before the queue is full.
 */
export interface Crowding {
  /** An access was let in, which will be recorded. */
  begin(): void;
  /** Its last record was handed over. */
  end(): void;
  /** True from when the queue cannot be trusted to hold what is under way, until a good part of it is on disk. */
  isCrowded(state: LedgerState): boolean;
}

export function createCrowding(): Crowding {
  let underWay = 0;
  let isShut = false;
  return {
    begin() {
      underWay++;
    },
    end() {
      underWay--;
    },
    isCrowded({ queuedBytes, mostQueuedBytes: most }) {
      // While this little waits the disk keeps up, however many are under way.
      if (most === undefined || queuedBytes <= most / 8) isShut = false;
      else isShut = queuedBytes + underWay * RECORD_BYTES > (isShut ? most / 4 : most / 2);
      return isShut;
    },
  };
}

/** Twice what the records of an access mostly take. */
const RECORD_BYTES = 4096;
