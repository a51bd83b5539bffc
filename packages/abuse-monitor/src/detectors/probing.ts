import { ABSENT_HEADERS, type Sighting } from "../watch/sighting.ts";
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
    // A login that failed asked for nothing, and whoever knows a client's name can send many of them.
    concerns: ({ ending }, known) => (known && ending !== "login-refused") || ending === "forbidden",
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

/** The score of an address: what absent headers add is kept apart, because it proves nothing by itself. */
interface Score {
  readonly telling: CountWindow;
  readonly absent: CountWindow;
}

/** What perimeter noticed about requests of one address, weighed. With absent headers needed to reach the score: low. */
export const scanner: Detector<Score> = {
  pattern: "scanner",
  by: "address",
  severity: "medium",
  concerns: ({ signals }) => signals.length > 0,
  step(before, { at, signals }, { thresholds: { scanner: limits } }) {
    const { windowSeconds, weights, score } = limits;
    const add = { telling: 0, absent: 0 };
    for (const signal of signals) {
      const weight = Object.hasOwn(weights, signal) ? (weights[signal] as number) : 1;
      add[ABSENT_HEADERS.has(signal) ? "absent" : "telling"] += weight;
    }
    const state: Score = {
      telling: countIn(before?.telling, at, windowSeconds, add.telling),
      absent: countIn(before?.absent, at, windowSeconds, add.absent),
    };
    const telling = Math.round(countOf(state.telling));
    const findings = reached(windowSeconds, "signal-score", telling, score);
    if (findings.length > 0) return { state, findings };
    const all = Math.round(countOf(state.telling) + countOf(state.absent));
    return { state, findings: reached(windowSeconds, "signal-score", all, score), atMost: "low" };
  },
};
