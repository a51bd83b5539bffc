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
  readonly length: number;
  /** Milliseconds since the epoch. */
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
    const findings = reached(
      windowSeconds,
      ["missed-patients", missed ? (state.misses?.size ?? 0) : 0, limits.misses],
      ["distinct-patients", system ? 0 : state.patients.size, limits.patients],
      ["sequential-patients", system ? 0 : state.run.length, limits.sequence],
    );
    return { state, findings };
  },
};

function stepRun(run: Run | undefined, { at, named }: Sighting, windowSeconds: number): Run {
  const { id, before, after } = named as NonNullable<Sighting["named"]>;
  if (run === undefined || at - run.since > windowSeconds * 1000) return { last: id, length: 1, since: at };
  if (run.last === id) return run;
  const follows = run.last === before || run.last === after;
  return follows ? { last: id, length: run.length + 1, since: run.since } : { last: id, length: 1, since: at };
}
