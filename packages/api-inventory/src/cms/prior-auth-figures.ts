import type { PriorAuthCase } from "./cases.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 42 CFR 422.568(b)(1) and 422.572(a), from 2026-01-01: seven calendar days, 72 hours. */
const STANDARD_LIMIT_MS = 7 * DAY_MS;
const EXPEDITED_LIMIT_MS = 72 * HOUR_MS;

/** Requests of one kind received in the year. Percentages are of `received`, with two decimals; null without any. */
export interface PriorAuthKindFigures {
  readonly received: number;
  readonly approved: number;
  /** Fully or partly denied, as first determined. */
  readonly denied: number;
  readonly approvedAfterAppeal: number;
  readonly cancelled: number;
  /** Without a determination so far. */
  readonly open: number;
  readonly approvedPercent: number | null;
  readonly deniedPercent: number | null;
  readonly approvedAfterAppealPercent: number | null;
  /** From submission to the first determination, in the unit of the form: days (standard), hours (expedited). */
  readonly averageTurnaround: number | null;
  readonly medianTurnaround: number | null;
  readonly turnaroundUnit: "days" | "hours";
  /** Determinations within the time frame of the rule, and later ones. */
  readonly inTime: number;
  readonly late: number;
}

export interface PriorAuthFigures {
  readonly standard: PriorAuthKindFigures;
  readonly expedited: PriorAuthKindFigures;
  /** Extended reviews that ended in an approval, of all requests. */
  readonly extendedAndApproved: number;
  readonly extendedAndApprovedPercent: number | null;
}

/** @see 42 CFR 422.122(c), 440.230(e)(3), 438.210(f), 457.732(c), 45 CFR 156.223(c) */
export function priorAuthFigures(cases: readonly PriorAuthCase[]): PriorAuthFigures {
  const extended = cases.filter((one) => one.extendedAndApproved).length;
  return {
    standard: figuresOf(
      cases.filter((one) => !one.expedited),
      STANDARD_LIMIT_MS,
      "days",
    ),
    expedited: figuresOf(
      cases.filter((one) => one.expedited),
      EXPEDITED_LIMIT_MS,
      "hours",
    ),
    extendedAndApproved: extended,
    extendedAndApprovedPercent: percent(extended, cases.length),
  };
}

function figuresOf(cases: readonly PriorAuthCase[], limitMs: number, unit: "days" | "hours"): PriorAuthKindFigures {
  const received = cases.length;
  const approved = cases.filter((one) => one.first?.decision === "approved" && !one.approvedAfterAppeal).length;
  const denied = cases.filter(({ first }) => first !== undefined && first.decision !== "approved").length;
  const approvedAfterAppeal = cases.filter((one) => one.approvedAfterAppeal).length;
  const open = cases.filter((one) => one.first === undefined && !one.cancelled).length;
  const cancelled = cases.filter((one) => one.cancelled && one.first === undefined).length;
  const times = cases.flatMap(turnaroundOf).sort((a, b) => a - b);
  const unitMs = unit === "days" ? DAY_MS : HOUR_MS;
  return {
    received,
    approved,
    denied,
    approvedAfterAppeal,
    cancelled,
    open,
    approvedPercent: percent(approved, received),
    deniedPercent: percent(denied, received),
    approvedAfterAppealPercent: percent(approvedAfterAppeal, received),
    averageTurnaround: inUnit(times.length === 0 ? undefined : sum(times) / times.length, unitMs),
    medianTurnaround: inUnit(median(times), unitMs),
    turnaroundUnit: unit,
    inTime: times.filter((time) => time <= limitMs).length,
    late: times.filter((time) => time > limitMs).length,
  };
}

function turnaroundOf({ submittedAt, first }: PriorAuthCase): number[] {
  return first === undefined ? [] : [Math.max(0, first.at - submittedAt)];
}

function median(sorted: readonly number[]): number | undefined {
  const middle = sorted.length / 2;
  if (Number.isInteger(middle)) {
    const [low, high] = [sorted[middle - 1], sorted[middle]];
    return low === undefined || high === undefined ? undefined : (low + high) / 2;
  }
  return sorted[Math.floor(middle)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : rounded((100 * part) / whole);
}

function inUnit(milliseconds: number | undefined, unitMs: number): number | null {
  return milliseconds === undefined ? null : rounded(milliseconds / unitMs);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
