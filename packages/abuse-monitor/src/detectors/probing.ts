import type { Sighting } from "../watch/sighting.ts";
import { type CountWindow, countIn, countOf, type DistinctWindow, distinctIn } from "../watch/windows.ts";
import { type Detector, QUIET, reached } from "./detector.ts";
import type { Thresholds } from "./thresholds.ts";

interface Refusals {
  readonly all: CountWindow;
  readonly refused: CountWindow;
  readonly combinations: DistinctWindow | undefined;
}

/**
 * Different things asked for in vain: somebody tries out what a token can do. One thing asked for in vain again and again
 * is an app that is set up wrongly, and not told.
 */
export const probingBySubject: Detector<Refusals> = probing("subject", ({ combinations }) => combinations);
export const probingByClient: Detector<Refusals> = probing("client", ({ clientCombinations }) => clientCombinations);

function probing(
  by: "subject" | "client",
  threshold: (limits: Thresholds["scopeProbing"]) => number,
): Detector<Refusals> {
  return {
    pattern: "scope-probing",
    by,
    severity: "medium",
    concerns: ({ ending }, known) => known || ending === "forbidden",
    step(before, sighting, { thresholds: { scopeProbing: limits } }) {
      const state = stepRefusals(before, sighting, limits.windowSeconds);
      const share = countOf(state.refused) / Math.max(1, countOf(state.all));
      if (sighting.ending !== "forbidden" || share < limits.refusedShare) return { state, findings: QUIET };
      const combinations = state.combinations?.size ?? 0;
      return {
        state,
        findings: reached(limits.windowSeconds, "refused-combinations", combinations, threshold(limits)),
      };
    },
  };
}

function stepRefusals(before: Refusals | undefined, { at, ending, asked }: Sighting, windowSeconds: number): Refusals {
  const forbidden = ending === "forbidden";
  return {
    all: countIn(before?.all, at, windowSeconds),
    refused: countIn(before?.refused, at, windowSeconds, forbidden ? 1 : 0),
    combinations:
      asked === undefined ? before?.combinations : distinctIn(before?.combinations, at, windowSeconds, asked),
  };
}

/** What perimeter noticed about requests of one address, weighed. */
export const scanner: Detector<CountWindow> = {
  pattern: "scanner",
  by: "address",
  severity: "medium",
  concerns: ({ signals }) => signals.length > 0,
  step(before, { at, signals }, { thresholds: { scanner: limits } }) {
    let weight = 0;
    for (const signal of signals)
      weight += Object.hasOwn(limits.weights, signal) ? (limits.weights[signal] as number) : 1;
    const state = countIn(before, at, limits.windowSeconds, weight);
    return {
      state,
      findings: reached(limits.windowSeconds, "signal-score", Math.round(countOf(state)), limits.score),
    };
  },
};
