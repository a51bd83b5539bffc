import type { Position } from "../watch/sighting.ts";
import { add, estimate, NOTHING, type Sketch } from "../watch/sketch.ts";
import { type Detector, type Finding, QUIET, reached } from "./detector.ts";

interface Whereabouts {
  readonly at: number;
  readonly position: Position;
}

/** One person at two places, too far apart for the time between. */
export const impossibleTravel: Detector<Whereabouts> = {
  pattern: "impossible-travel",
  by: "subject",
  severity: "high",
  concerns: ({ position, ending }) => position !== undefined && ending !== "token-refused",
  step(before, { at, position }, { thresholds: { impossibleTravel: limits } }) {
    const here: Whereabouts = { at, position: position as Position };
    if (before === undefined) return { state: here, findings: QUIET };
    if (samePlace(before.position, here.position)) return { state: { at, position: before.position }, findings: QUIET };
    const kilometres = distanceKm(before.position, here.position);
    const hours = Math.max(Math.abs(at - before.at), 1000) / 3_600_000;
    const speed = kilometres / hours;
    if (kilometres < limits.leastKilometres || speed < limits.kilometresPerHour)
      return { state: here, findings: QUIET };
    const finding: Finding = {
      measure: "kilometres",
      value: Math.round(kilometres),
      threshold: Math.max(limits.leastKilometres, Math.round(limits.kilometresPerHour * hours)),
      windowSeconds: Math.ceil(hours * 3600),
    };
    return { state: here, findings: [finding] };
  },
};

function samePlace(a: Position, b: Position): boolean {
  return a.latitude === b.latitude && a.longitude === b.longitude;
}

/** Great-circle distance by the haversine formula. */
export function distanceKm(a: Position, b: Position): number {
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
    const findings = reached(
      HOUR_MS / 1000,
      ["requests-after-silence", awakening.requests, limits.requests],
      ["patients-after-silence", estimate(awakening.patients), limits.patients],
    );
    return { state: { lastAt: at, awakening }, findings };
  },
};

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
