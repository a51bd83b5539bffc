import type { Sighting } from "../watch/sighting.ts";
import { type DistinctWindow, distinctIn } from "../watch/windows.ts";
import { type Detector, reached } from "./detector.ts";

interface Asked {
  readonly patients: DistinctWindow;
  readonly misses: DistinctWindow | undefined;
  readonly run: Run;
}

/** Patients whose numbers follow each other, up or down. */
interface Run {
  readonly last: number;
  /** The patient whose number comes after the last one's. */
  readonly after: number | undefined;
  readonly length: number;
  /** Seconds since the epoch. */
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
    const { id } = sighting.named as NonNullable<Sighting["named"]>;
    const { at, system } = sighting;
    const missed = sighting.ending !== "served";
    const state: Asked = {
      patients: distinctIn(before?.patients, at, windowSeconds, id),
      misses: missed ? distinctIn(before?.misses, at, windowSeconds, id) : before?.misses,
      run: stepRun(before?.run, sighting, windowSeconds),
    };
    const misses = missed ? (state.misses?.size ?? 0) : 0;
    const missing = reached(windowSeconds, "missed-patients", misses, limits.misses);
    // What a system reads, and in which order, is its work.
    if (system) return { state, findings: missing };
    const many = reached(windowSeconds, "distinct-patients", state.patients.size, limits.patients, missing);
    const findings = reached(windowSeconds, "sequential-patients", state.run.length, limits.sequence, many);
    return { state, findings };
  },
};

function stepRun(run: Run | undefined, { at, named }: Sighting, windowSeconds: number): Run {
  const { id, after } = named as NonNullable<Sighting["named"]>;
  const seconds = Math.floor(at / 1000);
  if (run !== undefined && seconds - run.since <= windowSeconds) {
    if (run.last === id) return run;
    // Upwards: this is the one after the last. Downwards: the last is the one after this.
    const follows = id === run.after || (after !== undefined && after === run.last);
    if (follows) return { last: id, after, length: run.length + 1, since: run.since };
  }
  return { last: id, after, length: 1, since: seconds };
}
