import type { CallerKind } from "../watch/pseudonym.ts";
import type { Sighting } from "../watch/sighting.ts";
import type { DayTotals, PeerLevel } from "./peers.ts";
import type { Thresholds } from "./thresholds.ts";

/** What the detectors look for. */
export const PATTERNS = [
  "credential-stuffing",
  "token-guessing",
  "patient-enumeration",
  "bulk-access",
  "scope-probing",
  "scanner",
  "export-misuse",
  "break-glass-overuse",
  "impossible-travel",
  "silent-wakes",
] as const;
export type Pattern = (typeof PATTERNS)[number];

export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One measure of one caller at or above its threshold. */
export interface Finding {
  /** What was counted: `failures`, `distinct-patients`. */
  readonly measure: string;
  readonly value: number;
  readonly threshold: number;
  /** The longest time the value covers. */
  readonly windowSeconds: number;
}

export interface Step<State> {
  readonly state: State;
  readonly findings: readonly Finding[];
  /** The findings are worth no more than this, whatever their values. */
  readonly atMost?: Severity;
  /** A day that has ended, for the level of the caller's peers. */
  readonly closed?: DayTotals;
}

/** Everything a step may know besides its state and the sighting. */
export interface Surroundings {
  readonly thresholds: Thresholds;
  /** The level of the caller's peers. */
  readonly peers: () => PeerLevel | undefined;
}

/**
 * One way to look for a pattern, for one kind of caller. `step` is a pure function: the state after a sighting and what
 * there is to tell.
 */
export interface Detector<State = unknown> {
  readonly pattern: Pattern;
  readonly by: CallerKind;
  /** Before values that lie far above their thresholds raise it. */
  readonly severity: Severity;
  /** False: the sighting changes nothing, and no state is made for it. */
  concerns(sighting: Sighting, known: boolean): boolean;
  step(state: State | undefined, sighting: Sighting, surroundings: Surroundings): Step<State>;
}

export const QUIET: readonly Finding[] = Object.freeze([]);

/** One measure after the other is laid beside its threshold; nothing is made while all are below. */
export function reached(
  windowSeconds: number,
  measure: string,
  value: number,
  threshold: number,
  others: readonly Finding[] = QUIET,
): readonly Finding[] {
  return value < threshold ? others : [...others, { measure, value, threshold, windowSeconds }];
}
