import type { Position } from "../watch/sighting.ts";
import { add, estimate, NOTHING, type Sketch } from "../watch/sketch.ts";
import { type Detector, type Finding, QUIET, reached } from "./detector.ts";

interface Whereabouts {
  /** Seconds since the epoch. */
  readonly seconds: number;
  /** Where this one has been; the first is where it is. */
  readonly known: readonly Position[];
}

/**
 * One person at two places, too far apart for the time between. A place where the person was before is not told again:
 * who switches a tunnel on and off is told once.
 */
export const impossibleTravel: Detector<Whereabouts> = {
  pattern: "impossible-travel",
  by: "subject",
  severity: "high",
  concerns: ({ position, ending }) => position !== undefined && ending !== "token-refused",
  step(before, { at, position }, { thresholds: { impossibleTravel: limits } }) {
    const here = position as Position;
    const seconds = Math.floor(at / 1000);
    if (before === undefined) return { state: { seconds, known: [here] }, findings: QUIET };
    const { known } = before;
    const [last = here] = known;
    if (samePlace(last, here)) {
      // To the minute is enough for journeys of hours.
      const state = seconds - before.seconds < 60 ? before : { seconds, known };
      return { state, findings: QUIET };
    }
    const others = known.filter((place) => !samePlace(place, here));
    const state: Whereabouts = { seconds, known: [here, ...others].slice(0, KNOWN_PLACES) };
    const kilometres = distanceKm(last, here);
    const hours = Math.max(Math.abs(seconds - before.seconds), 1) / 3600;
    const isNew = others.length === known.length;
    if (!isNew || kilometres < limits.leastKilometres || kilometres / hours < limits.kilometresPerHour) {
      return { state, findings: QUIET };
    }
    const finding: Finding = {
      measure: "kilometres",
      value: Math.round(kilometres),
      threshold: Math.round(Math.max(limits.leastKilometres, limits.kilometresPerHour * hours)),
      windowSeconds: Math.ceil(hours * 3600),
    };
    return { state, findings: [finding] };
  },
};

const KNOWN_PLACES = 8;

function samePlace(a: Position, b: Position): boolean {
  return a.latitude === b.latitude && a.longitude === b.longitude;
}

/** Great-circle distance by the haversine formula. */
function distanceKm(a: Position, b: Position): number {
  const radians = Math.PI / 180;
  const half = (degrees: number) => Math.sin((degrees * radians) / 2) ** 2;
  const across = Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians);
  const chord = half(b.latitude - a.latitude) + across * half(b.longitude - a.longitude);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

const EARTH_RADIUS_KM = 6371;

interface Presence {
  readonly lastAt: number;
  readonly awakening?: {
    readonly at: number;
    readonly silentDays: number;
    readonly requests: number;
    readonly patients: Sketch;
  };
}

/** A client that was silent for weeks and is busy at once: a forgotten credential in new hands. */
export const silentWakes: Detector<Presence> = {
  pattern: "silent-wakes",
  by: "client",
  severity: "low",
  concerns: ({ ending }) => ending === "served" || ending === "missing" || ending === "forbidden",
  step(before, { at, patients }, { thresholds: { silentWakes: limits } }) {
    const silentMs = before === undefined ? 0 : at - before.lastAt;
    const wakes = silentMs >= limits.silentDays * DAY_MS;
    const going = before?.awakening !== undefined && at - before.awakening.at < HOUR_MS ? before.awakening : undefined;
    const awake = wakes ? { at, silentDays: Math.floor(silentMs / DAY_MS), requests: 0, patients: NOTHING } : going;
    if (awake === undefined) return { state: { lastAt: Math.max(at, before?.lastAt ?? at) }, findings: QUIET };
    const awakening = { ...awake, requests: awake.requests + 1, patients: patients.reduce(add, awake.patients) };
    const seconds = HOUR_MS / 1000;
    const busy = reached(seconds, "requests-after-silence", awakening.requests, limits.requests);
    const many = estimate(awakening.patients);
    const findings = reached(seconds, "patients-after-silence", many, limits.patients, busy);
    return { state: { lastAt: at, awakening }, findings };
  },
};

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
