import { email, ip, phone } from "./contacts.ts";
import type { Detection, Detector, Entity } from "./detection.ts";
import { card, deviceId, mbi, mrn, npi, ssn } from "./numbers.ts";
import { address, birthDate, nameDetector } from "./people.ts";

export interface DetectOptions {
  /** What to look for. Default: everything. */
  readonly entities?: readonly Entity[];
  /** Detections below are not reported. Default 0.5. */
  readonly minConfidence?: number;
  /** Names to find: those of `Patient.name` in the same exchange. Default none. */
  readonly names?: readonly string[];
}

/** Looks for identifiers in one text; `hint` is the name it goes by: a parameter, a header, a JSON key. */
export type PhiScanner = (text: string, hint?: string) => readonly Detection[];

/**
 * Prepares a scanner. Where two detections overlap the surer one stays, of two as sure the longer.
 *
 * Does NOT prove that a text is free of PHI: names nobody told of, ages and diagnoses have no shape.
 */
export function phiScanner(options: DetectOptions = {}): PhiScanner {
  const { minConfidence = DEFAULT_CONFIDENCE, entities, names = [] } = options;
  const all: readonly (readonly [Entity, Detector])[] = [...BY_SHAPE, ["name", nameDetector(names)]];
  const detectors = all.filter(([entity]) => entities?.includes(entity) ?? true).map(([, detector]) => detector);

  return function scan(text, hint = "") {
    if (text.length < 3) return NOTHING;
    const scanned = { text, hint: hint.toLowerCase() };
    const found: Detection[] = [];
    for (const detector of detectors) {
      for (const detection of detector(scanned)) if (detection.confidence >= minConfidence) found.push(detection);
    }
    return found.length < 2 ? found : withoutOverlaps(found);
  };
}

/** Puts `[ssn]` in the place of what was found. */
export function maskDetections(text: string, detections: readonly Detection[]): string {
  let masked = "";
  let from = 0;
  for (const { entity, start, end } of detections) {
    masked += `${text.slice(from, start)}[${entity}]`;
    from = end;
  }
  return masked + text.slice(from);
}

function withoutOverlaps(found: Detection[]): Detection[] {
  found.sort((a, b) => b.confidence - a.confidence || b.end - b.start - (a.end - a.start) || a.start - b.start);
  const kept: Detection[] = [];
  for (const each of found) {
    if (kept.every((other) => each.end <= other.start || each.start >= other.end)) kept.push(each);
  }
  return kept.sort((a, b) => a.start - b.start);
}

export const DEFAULT_CONFIDENCE = 0.5;
const NOTHING: readonly Detection[] = Object.freeze([]);
const BY_SHAPE: readonly (readonly [Entity, Detector])[] = [
  ["ssn", ssn],
  ["mbi", mbi],
  ["npi", npi],
  ["mrn", mrn],
  ["card", card],
  ["email", email],
  ["phone", phone],
  ["ip", ip],
  ["device-id", deviceId],
  ["birth-date", birthDate],
  ["address", address],
];
