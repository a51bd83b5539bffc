import type { Sighting } from "../watch/sighting.ts";
import { type DistinctWindow, distinctIn } from "../watch/windows.ts";
import { type Detector, reached } from "./detector.ts";

interface Asked {
  readonly patients: DistinctWindow;
  readonly misses: DistinctWindow | undefined;
  readonly last: number;
  /** The patient whose number comes after the last one's. */
  readonly after: number | undefined;
  /** How many in a row, up or down, and since when, in seconds since the epoch. */
  readonly run: number;
  readonly since: number;
}

/**
 * Patients asked for by id, one after the other: too many, too many that are not there, or in the order of their numbers.
 *
 * Does NOT judge how many patients a system reads, or in what order: that is its work, and bulk-access compares it with
 * its own history.
 */
export const patientEnumeration: Detector<Asked> = {
  pattern: "patient-enumeration",
  by: "subject",
  severity: "high",
  concerns: ({ named }) => named !== undefined,
  step(before, sighting, { thresholds: { patientEnumeration: limits } }) {
    const { windowSeconds } = limits;
    const { id, after } = sighting.named as NonNullable<Sighting["named"]>;
    const { at, system } = sighting;
    const missed = sighting.ending !== "served";
    const seconds = Math.floor(at / 1000);
    const going = before !== undefined && seconds - before.since <= windowSeconds;
    const run = going ? runTo(before, id, after) : 1;
    const state: Asked = {
      patients: distinctIn(before?.patients, at, windowSeconds, id),
      misses: missed ? distinctIn(before?.misses, at, windowSeconds, id) : before?.misses,
      last: id,
      after,
      run,
      since: going && run > 1 ? before.since : seconds,
    };
    const misses = missed ? (state.misses?.size ?? 0) : 0;
    const missing = reached(windowSeconds, "missed-patients", misses, limits.misses);
    // What a system reads, and in which order, is its work.
    if (system) return { state, findings: missing };
    const many = reached(windowSeconds, "distinct-patients", state.patients.size, limits.patients, missing);
    const findings = reached(windowSeconds, "sequential-patients", state.run, limits.sequence, many);
    return { state, findings };
  },
};

function runTo({ last, after: expected, run }: Asked, id: number, after: number | undefined): number {
  if (last === id) return run;
  // Upwards: this is the one after the last. Downwards: the last is the one after this.
  return id === expected || (after !== undefined && after === last) ? run + 1 : 1;
}
