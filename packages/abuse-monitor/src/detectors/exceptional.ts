import { type CountWindow, countIn, countOf, type DistinctWindow, distinctIn } from "../watch/windows.ts";
import { type Detector, reached } from "./detector.ts";

interface Exports {
  readonly all: CountWindow;
  readonly full: CountWindow;
  readonly refused: CountWindow;
}

/** `$export` more often than data change, everything again and again, or tried without the right to. */
export const exportMisuse: Detector<Exports> = {
  pattern: "export-misuse",
  by: "subject",
  severity: "high",
  concerns: (sighting) => sighting.export !== undefined || sighting.operationRefused,
  step(before, sighting, { thresholds: { exportMisuse: limits } }) {
    const { at } = sighting;
    const count = (window: CountWindow | undefined, one: boolean) =>
      countIn(window, at, limits.windowSeconds, one ? 1 : 0);
    const state: Exports = {
      all: count(before?.all, sighting.export !== undefined),
      full: count(before?.full, sighting.export === "full"),
      refused: count(before?.refused, sighting.operationRefused),
    };
    const { windowSeconds } = limits;
    const full = reached(windowSeconds, "full-exports", countOf(state.full), limits.fullExports);
    const all = reached(windowSeconds, "exports", countOf(state.all), limits.exports, full);
    const findings = reached(
      windowSeconds,
      "refused-operations",
      countOf(state.refused),
      limits.refusedOperations,
      all,
    );
    return { state, findings };
  },
};

interface Override {
  readonly uses: CountWindow;
  readonly patients: DistinctWindow | undefined;
}

/** Break-glass for more patients than one emergency has. */
export const breakGlassOveruse: Detector<Override> = {
  pattern: "break-glass-overuse",
  by: "subject",
  severity: "high",
  concerns: ({ breakGlass }) => breakGlass,
  step(before, { at, patients, named }, { thresholds: { breakGlassOveruse: limits } }) {
    const { windowSeconds } = limits;
    let seen = before?.patients;
    for (const patient of named === undefined ? patients : [named.id, ...patients]) {
      seen = distinctIn(seen, at, windowSeconds, patient);
    }
    const state: Override = { uses: countIn(before?.uses, at, windowSeconds), patients: seen };
    const many = reached(windowSeconds, "distinct-patients", seen?.size ?? 0, limits.patients);
    const findings = reached(windowSeconds, "uses", countOf(state.uses), limits.uses, many);
    return { state, findings };
  },
};
