import type { Sighting } from "../watch/sighting.ts";
import { add, estimate, NOTHING, type Sketch } from "../watch/sketch.ts";
import { type Detector, type Finding, QUIET, reached } from "./detector.ts";
import { type DayTotals, highOfPeers, type PeerLevel } from "./peers.ts";
import type { Thresholds } from "./thresholds.ts";

/** One caller's day so far, and what earlier days were like. */
interface Day {
  /** Days since the epoch, local time. */
  readonly day: number;
  readonly patients: Sketch;
  readonly patientCount: number;
  readonly resources: Sketch;
  readonly resourceCount: number;
  readonly bytes: number;
  readonly atNight: boolean;
  readonly past: Past;
}

interface Past {
  /** Days on which the caller did something, and nights. */
  readonly days: number;
  readonly nights: number;
  /** The highest, sinking by a tenth a day, so that a busy day long ago is forgotten. */
  readonly high: DayTotals;
}

const NO_PAST: Past = Object.freeze({
  days: 0,
  nights: 0,
  high: Object.freeze({ patients: 0, resources: 0, bytes: 0 }),
});

/**
 * More patients, resources or bytes in a day than the caller's own history explains, or its peers' while it has none. At
 * night sooner, for a caller that does not work at night.
 *
 * Does NOT notice a caller that asks for a little more each day before it reaches `mostPatients`.
 */
export const bulkAccess: Detector<Day> = {
  pattern: "bulk-access",
  by: "subject",
  severity: "high",
  concerns: ({ ending, patients, resource, bytes }) =>
    ending === "served" && (patients.length > 0 || resource !== undefined || bytes > 0),
  step(before, sighting, { thresholds: { bulkAccess: limits }, peers }) {
    const today = dayOf(sighting.at, limits);
    const isNew = before !== undefined && today.day > before.day;
    const closed = isNew ? totals(before) : undefined;
    const past = isNew ? stepPast(before) : (before?.past ?? NO_PAST);
    const state = addTo(isNew ? undefined : before, sighting, today, past);
    const findings = judge(state, today.night, sighting.system, limits, peers);
    return closed === undefined ? { state, findings } : { state, findings, closed };
  },
};

function addTo(before: Day | undefined, sighting: Sighting, { day, night }: LocalTime, past: Past): Day {
  let patients = before?.patients ?? NOTHING;
  for (const patient of sighting.patients) patients = add(patients, patient);
  const known = before?.resources ?? NOTHING;
  const resources = sighting.resource === undefined ? known : add(known, sighting.resource);
  return {
    day: before?.day ?? day,
    patients,
    patientCount: patients === before?.patients ? before.patientCount : estimate(patients),
    resources,
    resourceCount: resources === before?.resources ? before.resourceCount : estimate(resources),
    bytes: (before?.bytes ?? 0) + sighting.bytes,
    atNight: night || before?.atNight === true,
    past,
  };
}

function totals({ patientCount, resourceCount, bytes }: Day): DayTotals {
  return { patients: patientCount, resources: resourceCount, bytes };
}

function stepPast(ended: Day): Past {
  const { past } = ended;
  const day = totals(ended);
  const sunk = (before: number, now: number) => Math.max(Math.floor(before * 0.9), now);
  return {
    days: past.days + 1,
    nights: past.nights + (ended.atNight ? 1 : 0),
    high: {
      patients: sunk(past.high.patients, day.patients),
      resources: sunk(past.high.resources, day.resources),
      bytes: sunk(past.high.bytes, day.bytes),
    },
  };
}

function judge(
  day: Day,
  night: boolean,
  system: boolean,
  limits: Thresholds["bulkAccess"],
  peers: () => PeerLevel | undefined,
): readonly Finding[] {
  const { patientCount, resourceCount, bytes, past } = day;
  const share = night && past.days >= KNOWN_DAYS && past.nights * 10 < past.days ? limits.nightShare : 1;
  const { leastPatients, leastResources, leastBytes, mostPatients } = limits;
  if (patientCount < leastPatients * share && resourceCount < leastResources * share && bytes < leastBytes * share) {
    return QUIET;
  }
  const usual = past.days >= KNOWN_DAYS ? past.high : highOfPeers(peers());
  // Nobody knows yet what is usual: only what nobody needs is told, and nothing of a system.
  if (usual === undefined && system) return QUIET;
  const times = limits.factor * share;
  const unknown = UNKNOWN_FACTOR * share;
  const from = (least: number, high: number | undefined) =>
    Math.ceil(high === undefined ? least * unknown : Math.max(least * share, high * times));
  const ordinary = from(leastPatients, usual?.patients);
  const patients = system ? ordinary : Math.min(ordinary, mostPatients);
  const many = reached(DAY_SECONDS, "distinct-patients", patientCount, patients);
  const wide = reached(DAY_SECONDS, "distinct-resources", resourceCount, from(leastResources, usual?.resources), many);
  return reached(DAY_SECONDS, "bytes", bytes, from(leastBytes, usual?.bytes), wide);
}

interface LocalTime {
  readonly day: number;
  readonly night: boolean;
}

/** The night belongs to the day it began on. */
function dayOf(at: number, limits: Thresholds["bulkAccess"]): LocalTime {
  const { utcOffsetMinutes, nightFromHour, nightToHour } = limits;
  const hours = (at + utcOffsetMinutes * 60_000) / 3_600_000;
  const hour = hours % 24;
  const night =
    nightFromHour > nightToHour
      ? hour >= nightFromHour || hour < nightToHour
      : hour >= nightFromHour && hour < nightToHour;
  return { day: Math.floor((hours - nightToHour) / 24), night };
}

const DAY_SECONDS = 86_400;
const KNOWN_DAYS = 3;
/** How far above `least` something must be when neither history nor peers are known. */
const UNKNOWN_FACTOR = 5;
