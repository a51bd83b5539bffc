import type { Position } from "../watch/sighting.ts";
import { add, estimate, NOTHING, type Sketch } from "../watch/sketch.ts";
import { type Detector, type Finding, QUIET, reached } from "./detector.ts";

/** Degrees in ten-thousandths, 11 metres: small whole numbers lie in the state itself. */
interface Whereabouts {
  /** Seconds since the epoch. */
  readonly seconds: number;
  readonly latitude: number;
  readonly longitude: number;
  /** Other places where this one has been, the last first: latitude and longitude in turn. */
  readonly elsewhere: readonly number[];
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
  step(before, sighting, { thresholds: { impossibleTravel: limits } }) {
    const position = sighting.position as Position;
    const latitude = Math.round(position.latitude * PARTS);
    const longitude = Math.round(position.longitude * PARTS);
    const seconds = Math.floor(sighting.at / 1000);
    if (before === undefined) return { state: { seconds, latitude, longitude, elsewhere: NOWHERE }, findings: QUIET };
    if (before.latitude === latitude && before.longitude === longitude) {
      // To the minute is enough for journeys of hours.
      const state =
        seconds - before.seconds < 60 ? before : { seconds, latitude, longitude, elsewhere: before.elsewhere };
      return { state, findings: QUIET };
    }
    const others = without(before.elsewhere, latitude, longitude);
    const isNew = others.length === before.elsewhere.length;
    const elsewhere = [before.latitude, before.longitude, ...others].slice(0, 2 * OTHER_PLACES);
    const state: Whereabouts = { seconds, latitude, longitude, elsewhere };
    const kilometres = distanceKm(before, state);
    const hours = Math.max(Math.abs(seconds - before.seconds), 1) / 3600;
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

const PARTS = 10_000;
const OTHER_PLACES = 7;
const NOWHERE: readonly number[] = Object.freeze([]);

function without(places: readonly number[], latitude: number, longitude: number): readonly number[] {
  const at = places.findIndex(
    (value, index) => index % 2 === 0 && value === latitude && places[index + 1] === longitude,
  );
  return at < 0 ? places : places.filter((_value, index) => index !== at && index !== at + 1);
}

/** Great-circle distance by the haversine formula. */
function distanceKm(a: Position, b: Position): number {
  const radians = Math.PI / 180 / PARTS;
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
