import type { TransferEntry } from "./journal-entry.ts";

/** When a patient counts as served more than once. */
export type MoreThanOnce = "request" | "day";

export interface PatientCounts {
  readonly unique: number;
  readonly moreThanOnce: number;
}

/** Counts patients by their keyed hashes, exactly, up to a bound. */
export interface Patients {
  add(entry: TransferEntry): void;
  counts(): PatientCounts;
  /** Transfers of patients who found no room: with any, the counts are lower bounds. */
  readonly dropped: number;
}

const AGAIN = "again";

export function createPatients(moreThanOnce: MoreThanOnce, maxPatients: number): Patients {
  const seen = new Map<string, string>();
  let repeated = 0;
  let dropped = 0;
  return {
    add({ patient, day }) {
      const before = seen.get(patient);
      if (before === AGAIN) return;
      if (before === undefined) {
        if (seen.size < maxPatients) seen.set(patient, day);
        else dropped += 1;
      } else if (moreThanOnce === "request" || before !== day) {
        seen.set(patient, AGAIN);
        repeated += 1;
      }
    },
    counts: () => ({ unique: seen.size, moreThanOnce: repeated }),
    get dropped() {
      return dropped;
    },
  };
}
